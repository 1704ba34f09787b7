"""Start-up times: ``vesalia --help``, ``import vesalia`` and ``vesalia check``, median of several processes.

The last line is one JSON object; ``ratio`` is the largest part of its limit that any of the three takes: below 1 is
within.

    python benchmarks/command_start.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vesalia.datatools.new_archive import new_archive
from vesalia.datatools.synthetic import synthesize
from vesalia.runtime import machine
from vesalia.runtime.files import write_json

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 7
CASES = 20
LIMITS_S = {"help": 0.5, "import": 0.3, "check": 3.0}


def seconds(command: list[str], *, repeats: int) -> float:
    """Median wall-clock seconds of ``command``, the first (cold) run left out; it must succeed."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few and once, to see that it runs")
    quick = parser.parse_args().quick
    cases, repeats = (5, 1) if quick else (CASES, REPEATS)
    script = str(Path(sys.executable).with_name("vesalia"))
    with tempfile.TemporaryDirectory() as folder:
        data = synthesize(Path(folder) / "data", cases=cases, size=48, seed=0)
        archive = new_archive(Path(folder) / "archive", data=data)
        measured = {
            "help": seconds([script, "--help"], repeats=repeats),
            "import": seconds([sys.executable, "-c", "import vesalia"], repeats=repeats),
            "check": seconds([script, "check", str(archive)], repeats=repeats),
        }
    ratio = max(measured[name] / limit for name, limit in LIMITS_S.items())
    seconds_of = {f"{name}_s": value for name, value in measured.items()}
    result = {"ratio": ratio, **seconds_of, "limits_s": LIMITS_S, "cases": cases}
    facts = {"machine": machine.describe(), "versions": machine.versions(), "date": time.strftime("%Y-%m-%d")}
    if not quick:
        write_json(ROOT / "benchmarks" / "results" / "command_start.json", {**result, **facts})
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
