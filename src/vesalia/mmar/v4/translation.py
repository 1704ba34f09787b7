"""What comes of a translation: a config in v3's form, and how to speak of it in the user's words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.part import Part
from vesalia.runtime.nearness import nearest

__all__ = ["Translation", "check_keys", "engine", "translate_inferer"]

_ENGINES = {"trainer": "SupervisedTrainer", "evaluator": "SupervisedEvaluator"}
_ENGINE_NOTHING = frozenset(
    {"decollate", "device", "max_epochs", "amp", "non_blocking", "val_handlers", "mode", "optim_set_to_none"}
)
_WINDOW = {"roi_size": "roi_size", "sw_batch_size": "batch_size", "overlap": "overlap", "mode": "mode"}
_WINDOW_NOTHING = frozenset({"sw_device", "device", "progress", "cache_roi_weight_map", "padding_mode", "cval"})


class Translation:
    """A config in v3's form.

    Attributes:
        draft: Faults, notes and places.
        config: The config's sections.
        settings: Values of our top level, with the user's key path of each.
        unset: Variables that the config leaves unused.
    """

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.config: dict[str, Any] = {}
        self.settings: dict[str, tuple[Any, str]] = {}
        self.unset: set[str] = set()

    def set(self, name: str, value: Any, *, key: str) -> None:
        """Give a value of our top level, which the user wrote at ``key``."""
        self.settings[name] = (value, key)
        self.draft.places.put(name, key)

    def first(self, name: str, values: Mapping[str, Any], *, top: str, other: tuple[Any, str] | None = None) -> None:
        """Give a value that stands among a component's arguments (``other``), or else at the user's top level."""
        if other is not None and not (top in values and values[top] == other[0]):
            self.set(name, other[0], key=other[1])
        elif top in values:
            self.set(name, values[top], key=top)


def check_keys(section: Mapping[str, Any], where: str, *, known: tuple[str, ...], draft: Draft) -> None:
    """Report keys of a section that are misspelt; others that are not known have no effect."""
    for name in section:
        if name in known or name.startswith("__"):
            continue
        key = f"{where}{name}"
        if nearest(name, known) is not None:
            draft.unknown(key, name, known=[each for each in known if each not in section], what="a key of v4")
        else:
            draft.note(key, "nothing (no key that is known here)")


def engine(part: Part | None, slot: str, *, draft: Draft) -> Mapping[str, Any]:
    """The arguments of a trainer or evaluator that are read; what a run does by itself is left out."""
    if part is None:
        return {}
    if part.name != _ENGINES[slot] or part.is_custom:
        draft.unknown(f"{part.where}.name", part.name, known=[_ENGINES[slot]], what=_ENGINES[slot])
    for name in part.args:
        if name not in _ENGINE_NOTHING:
            draft.note(part.at(name), "nothing")
    return part.args


def translate_inferer(part: Part | None, key: str, *, draft: Draft, dims: int) -> dict[str, Any]:
    """The inferer as ours; one pass where none is named."""
    if part is None or part.name == "SimpleInferer":
        if part is not None:
            draft.note(part.said, "TFSimpleInferer")
        return {"name": "TFSimpleInferer"}
    draft.places.put(key, part.where)
    if part.name != "SlidingWindowInferer" or part.is_custom:
        known = ["SimpleInferer", "SlidingWindowInferer"]
        draft.unknown(f"{part.where}.name", part.name, known=known, what="SimpleInferer or SlidingWindowInferer")
    args: dict[str, Any] = {"mode": "constant"}  # MONAI's default
    for name, value in part.args.items():
        ours = _WINDOW.get(name, name)
        if name in _WINDOW_NOTHING:
            draft.note(part.at(name), "nothing")
            continue
        draft.places.put(f"{key}.args.{ours}", part.at(name))
        args[ours] = [value] * dims if ours == "roi_size" and isinstance(value, int) else value
    draft.note(part.said, "TFScanWindowInferer")
    return {"name": "TFScanWindowInferer", "args": args}
