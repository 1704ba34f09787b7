"""Training again what a manifest records: what is not as it was then."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.recorded import Recorded
from vesalia.runtime import machine
from vesalia.runtime.device import choose_device
from vesalia.runtime.jsonfile import as_json
from vesalia.training.fit import TrainOptions
from vesalia.training.listener import Listener
from vesalia.training.manifest import changes, hash_all, hash_code, hash_start

__all__ = ["differences", "note_differences"]

_SHOWN = 5
_WRITTEN = ("MMAR_CKPT_DIR", "MMAR_EVAL_OUTPUT_PATH")
"""Where results go decides nothing."""


def differences(recorded: Recorded, plan: TrainPlan, *, seed: int, device: str, world: int = 1) -> list[str]:
    """What differs between a recorded training and one that is about to begin, a line each; empty for nothing.

    Args:
        recorded: The training then, placed where the archive and the data are now.
        plan: The training now.
        seed: Its seed.
        device: The kind of device it runs on.
        world: How many processes train together.
    """
    then = recorded.manifest
    found = [*_of_settings(recorded, plan, seed)]
    found += _each("version of ", then.get("versions"), machine.versions())
    found += _each("", then.get("options"), {"device": device, "world": world})
    found += _each("start weights: ", {"sha256": then.get("start")}, {"sha256": hash_start(plan)})
    found += _of_files("code", then.get("code"), hash_code(plan))
    data = then.get("data")
    for part, files in data.items() if isinstance(data, Mapping) else ():
        there = [Path(file) for file in files if Path(file).is_file()]
        found += _of_files(f"data of {part}", files, hash_all(there))
    processor = {"processor": machine.describe()["processor"]}
    found += _each("", {key: _of(then.get("machine"), key) for key in processor}, processor)
    return found + list(_of_course(then))


def note_differences(
    recorded: Recorded | None, plan: TrainPlan, *, options: TrainOptions, world: int, listener: Listener | None
) -> TrainOptions:
    """Tell what is not as it was, and have the new manifest hold it; without a record nothing is done.

    Args:
        recorded: The training then.
        plan: The training now.
        options: How it is run.
        world: How many processes train together.
        listener: Is warned of each difference.
    """
    if recorded is None:
        return options
    device = choose_device(options.device).type
    found = differences(recorded, plan, seed=options.seed or 0, device=device, world=world)
    for difference in found:
        if listener:
            listener.warned(f"not as in {recorded.file}: {difference}")
    return replace(options, recorded={"reproduces": {"manifest": str(recorded.file), "differences": found}})


def _of_settings(recorded: Recorded, plan: TrainPlan, seed: int) -> Iterator[str]:
    if seed != recorded.seed:
        yield f"seed: {recorded.seed} then, {seed} now"
    before = {"config": recorded.config, "variables": recorded.environment}
    known = {name: value for name, value in plan.variables.items() if name in recorded.environment}
    now = as_json({"config": plan.raw, "variables": known})
    for key, change in changes(before, now).items():
        if key.rpartition(".")[2] not in _WRITTEN:
            yield f"{key}: {change['before']!r} then, {change['now']!r} now"


def _each(what: str, before: Any, now: Mapping[str, Any]) -> Iterator[str]:
    for name, value in now.items():
        known = _of(before, name)
        if known is not None and known != value:
            yield f"{what}{name}: {known} then, {value} now"


def _of_files(what: str, before: Any, now: Mapping[str, str]) -> Iterator[str]:
    """Files that are gone or changed, the first few by name."""
    if not isinstance(before, Mapping):
        return
    gone = [file for file in before if file not in now]
    changed = [file for file in before if file in now and before[file] != now[file]]
    added = [file for file in now if file not in before]
    for said, files in (("gone", gone), ("changed", changed), ("new", added)):
        if files:
            more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
            yield f"{what}: {said} {', '.join(files[:_SHOWN])}{more}"


def _of_course(then: Mapping[str, Any]) -> Iterator[str]:
    """What no second run can repeat."""
    if _of(then.get("options"), "budget"):
        yield "the run was laid over a time budget, and the clock decided its steps; this one runs to its epochs"
    resumed = then.get("resumed")
    if isinstance(resumed, list) and any(_of(session, "changes") for session in resumed):
        yield "the run was resumed with other settings; this one keeps those it began with"


def _of(node: Any, name: str) -> Any:
    return node.get(name) if isinstance(node, Mapping) else None
