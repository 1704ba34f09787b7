"""Handlers of a v4 config: what some of them set, and that the others have nothing to do here."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vesalia.mmar.v4.code import is_reference
from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.part import Part, is_off, read_part
from vesalia.registry.kinds import shown

__all__ = ["Handled", "read_handlers"]

_DONE_ANYWAY: Mapping[str, str] = {
    "CheckpointSaver": "nothing (the best and the last model, and the state to resume from, are always written)",
    "ClassificationSaver": "nothing (predictions are written by vesalia infer)",
    "GarbageCollector": "nothing",
    "IgniteMetric": "nothing",
    "MetricLogger": "nothing (history.csv and TensorBoard have every value)",
    "MetricsSaver": "nothing (vesalia evaluate writes a score per subject)",
    "PostProcessing": "nothing",
    "SegmentationSaver": "nothing (predictions are written by vesalia infer)",
    "SmartCacheHandler": "nothing (a moving cache moves by itself)",
    "StatsHandler": "nothing (every run reports its loss and metrics)",
    "TensorBoardImageHandler": "nothing (the report shows images)",
    "TensorBoardStatsHandler": "nothing (every run writes TensorBoard records)",
    "Timer": "nothing",
}
_KNOWN = (*_DONE_ANYWAY, "CheckpointLoader", "LrScheduleHandler", "ValidationHandler", "EarlyStopHandler")


@dataclass(slots=True)
class Handled:
    """What handlers set.

    Attributes:
        interval: Epochs from one validation to the next, and the key path that says so; None where nobody does.
        by_step: Whether the learning rate moves with every step.
        checkpoint: Weights to start from, and the key path that names them.
    """

    interval: tuple[Any, str] | None = None
    by_step: bool = False
    checkpoint: tuple[Any, str] | None = None


def read_handlers(nodes: Any, where: str, *, draft: Draft, loads: bool = False) -> Handled:
    """What the handlers of a section ask for; those without effect are noted, unknown ones reported.

    Args:
        nodes: The list.
        where: Its key path.
        draft: Where faults and notes go.
        loads: Whether a handler may name the weights to start from.
    """
    handled = Handled()
    if nodes is None:
        return handled
    if not isinstance(nodes, list):
        draft.fault(where, found=shown(nodes), expected="a list of handlers", write="[ ... ]")
        return handled
    for index, node in enumerate(nodes):
        place = f"{where}[{index}]"
        if isinstance(node, Mapping) and "ref" in node:
            if not is_off(node, place, draft=draft):
                draft.note(f"{place} {node['ref']}", "nothing (a handler named by ref)")
            continue
        named = read_part(node, place, draft=draft, read_args=False)
        if named is not None:
            _read(named, node, draft, handled, loads=loads)
    return handled


def _read(named: Part, node: Any, draft: Draft, handled: Handled, *, loads: bool) -> None:
    if named.name in _DONE_ANYWAY and not named.is_custom:
        draft.note(named.said, _DONE_ANYWAY[named.name])
    elif named.name == "CheckpointLoader" and not loads and not named.is_custom:
        draft.note(named.said, "nothing (the model that was trained is judged)")
    elif named.name not in _KNOWN or named.is_custom:
        what = "a handler that is known here (the run itself does what v4's handlers did)"
        draft.unknown(f"{named.where}.name", named.name, known=_KNOWN, what=what)
    elif named.name == "EarlyStopHandler":
        write = '"disabled": true beside it, and a smaller epochs; or --set stop_threshold=0.9 (of the key metric)'
        expected = "a training that runs to its end (stopping early is not done here)"
        draft.fault(named.where, found=named.name, expected=expected, write=write)
    else:
        args = _values(node.get("args"))
        _take(named, args, draft, handled)


def _values(args: Any) -> dict[str, Any]:
    """Arguments, without references."""
    return {name: value for name, value in args.items() if not is_reference(value)} if isinstance(args, Mapping) else {}


def _take(part: Part, args: Mapping[str, Any], draft: Draft, handled: Handled) -> None:
    by_epoch = draft.value(args, "epoch_level", kind="bool", key=f"{part.where}.args", default=True)
    if part.name == "LrScheduleHandler":
        handled.by_step = not by_epoch
        draft.note(part.said, "the trainer, which moves lr_policy")
    elif part.name == "CheckpointLoader":
        if "load_path" in args:
            handled.checkpoint = (args["load_path"], part.at("load_path"))
        draft.note(part.said, "MMAR_CKPT, the weights to start from")
    elif not by_epoch:
        expected = "true (validations come after whole epochs)"
        draft.fault(part.at("epoch_level"), found="false", expected=expected, write="true, and an interval in epochs")
    else:
        if "interval" in args:
            handled.interval = (args["interval"], part.at("interval"))
        draft.note(part.said, "num_training_epoch_per_valid")
