"""Two sides of a comparison, measured in turns in one process, and the result as JSON."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vesalia.runtime import machine
from vesalia.runtime.files import write_json

__all__ = ["in_turns", "report", "say"]

_REST_S = 0.25
RESULTS = Path(__file__).resolve().parent / "results"


def in_turns(sides: Mapping[str, Callable[[], object]], *, repeats: int) -> dict[str, float]:
    """Median seconds of each side; they take turns, so that a busy moment of the machine meets all of them.

    The first round is not counted: caches fill, code is compiled. Before each turn there is a pause, since threads of
    the turn before go on spinning for a while, waiting for more to do.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(repeats + 1):
        for name, work in sides.items():
            time.sleep(_REST_S)
            began = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report(name: str, result: Mapping[str, Any], *, keep: bool = True) -> None:
    """Write ``results/<name>.json`` with machine and versions, and ``result`` as the last line.

    Args:
        name: The script's name.
        result: The figures; ``ratio`` among them.
        keep: Whether to write the file (a quick run does not).
    """
    facts = {"machine": machine.describe(), "versions": machine.versions(), "date": time.strftime("%Y-%m-%d")}
    if keep:
        RESULTS.mkdir(exist_ok=True)
        write_json(RESULTS / f"{name}.json", {**result, **facts})
    say(json.dumps(dict(result)))
