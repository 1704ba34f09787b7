"""Model, loss, optimizer and schedule of a v4 config: MONAI's and PyTorch's own classes, by their dotted paths."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.library import address, known_names
from vesalia.mmar.v4.part import Part
from vesalia.registry.kinds import Mismatch, coerce
from vesalia.registry.library import CLASS_COUNT_NAMES, LIBRARIES

__all__ = [
    "Network",
    "activation_of",
    "network_of",
    "translate_loss",
    "translate_model",
    "translate_optimizer",
    "translate_schedule",
]

_MODELS, _LOSSES, _OPTIMIZERS, _SCHEDULES = (
    tuple(LIBRARIES[slot]) for slot in ("model", "loss", "optimizer", "lr_policy")
)
_NO_SCHEDULES = ("ChainedScheduler", "LambdaLR", "LRScheduler", "MultiplicativeLR", "SequentialLR")
"""Schedules that are made of code or of other schedules."""
_RENAMED = {"dimensions": "spatial_dims"}
"""MONAI's arguments that have another name since v4."""
_ACTIVATIONS = ("softmax", "sigmoid")
_SIGMOID_LOSSES = frozenset({"BCEWithLogitsLoss", "MultiLabelSoftMarginLoss"})
_SOFTMAX_LOSSES = frozenset({"CrossEntropyLoss", "DiceCELoss"})


@dataclass(frozen=True, slots=True)
class Network:
    """What the rest of a translation asks about the model.

    Attributes:
        channels: Channels of its input.
        classes: Channels of its output; None where the config does not say.
        dims: Spatial axes.
    """

    channels: int = 1
    classes: int | None = None
    dims: int = 3


def _path(part: Part, packages: Sequence[str], key: str, draft: Draft, what: str) -> str:
    """The dotted path of a part's class; empty where it is not known, which is reported."""
    if part.is_custom:
        return part.path
    found = address(part.name, packages)
    if found is None:
        known = [name for package in packages for name in known_names(package)]
        draft.unknown(f"{part.where}.name", part.name, known=known, what=what)
        return ""
    draft.places.put(f"{key}.path", f"{part.where}.{'path' if part.path else 'name'}")
    return found


def _number(value: object, default: Any) -> Any:
    found = coerce(value, "Count")
    return default if isinstance(found, Mismatch) else found


def translate_model(part: Part, activation: str, *, draft: Draft, key: str = "train.model") -> dict[str, Any]:
    """The model as our config writes it: the same class, whose logits go through ``activation``."""
    path = _path(part, _MODELS, key, draft, "a network of monai.networks.nets")
    args = {_RENAMED.get(name, name): value for name, value in part.args.items() if name != "in_channels"}
    for ours, theirs in ((new, old) for old, new in _RENAMED.items() if old in part.args):
        draft.places.put(f"{key}.args.{ours}", part.at(theirs))
    draft.note(part.said, f"{path} (logits), and {activation} as its last activation")
    return {"path": path, "args": {**args, "final_activation": activation}}


def network_of(part: Part | None) -> Network:
    """What a model's arguments say."""
    args: Mapping[str, Any] = {} if part is None else part.args
    classes = next((_number(args[name], None) for name in CLASS_COUNT_NAMES if name in args), None)
    dims = _number(args.get("spatial_dims", args.get("dimensions", 3)), 3)
    return Network(_number(args.get("in_channels", 1), 1), classes, dims)


def activation_of(loss: Part | None) -> str | None:
    """The activation that a loss applies to the logits; None where it does not say, or there is no loss."""
    if loss is None or loss.is_custom:
        return None
    said = next((name for name in _ACTIVATIONS if loss.args.get(name) is True), None)
    if said is not None:
        return said
    if loss.name == "FocalLoss":
        return "softmax" if loss.args.get("use_softmax") is True else "sigmoid"
    return "sigmoid" if loss.name in _SIGMOID_LOSSES else "softmax" if loss.name in _SOFTMAX_LOSSES else None


def translate_loss(part: Part, *, draft: Draft, key: str = "train.loss") -> dict[str, Any]:
    """The loss as our config writes it."""
    path = _path(part, _LOSSES, key, draft, "a loss of monai.losses or torch.nn")
    draft.note(part.said, path)
    return {"path": path, "args": dict(part.args)}


def translate_optimizer(part: Part, *, draft: Draft, key: str = "train.optimizer") -> dict[str, Any]:
    """The optimizer as our config writes it; the learning rate stands at the top level."""
    path = _path(part, _OPTIMIZERS, key, draft, "an optimizer of torch.optim or monai.optimizers")
    draft.note(part.said, path)
    return {"path": path, "args": {name: value for name, value in part.args.items() if name not in {"lr", "params"}}}


def translate_schedule(
    part: Part, *, draft: Draft, epochs: Any, by_step: bool, key: str = "train.lr_policy"
) -> dict[str, Any] | None:
    """The schedule as a policy of ours.

    Args:
        part: The schedule.
        draft: Where faults and notes go.
        epochs: Epochs of the training.
        by_step: Whether it moves with every step, and not with every epoch.
        key: Key path of the policy.
    """
    if part.name == "ReduceLROnPlateau":
        patience = _number(part.args.get("patience", 10), 10) if part.args.get("patience") != 0 else 0
        draft.note(part.said, "ReduceOnPlateau (counts validations of the key metric)")
        args = {"plateau_count_trigger": patience + 1, "reduction_rate": part.args.get("factor", 0.1)}
        draft.places.put(f"{key}.args.reduction_rate", part.at("factor"))
        draft.places.put(f"{key}.args.plateau_count_trigger", part.at("patience"))
        return {"name": "ReduceOnPlateau", "args": args}
    known = [
        name for package in _SCHEDULES for name in known_names(package) if name.endswith(("LR", "Schedule", "Restarts"))
    ]
    path = address(part.name, _SCHEDULES) if part.name in known and part.name not in _NO_SCHEDULES else None
    if path is None or part.is_custom:
        usable = [name for name in known if name not in _NO_SCHEDULES]
        what = "a schedule of torch.optim.lr_scheduler or monai.optimizers that is told by plain values"
        draft.unknown(f"{part.where}.name", part.name, known=usable, what=what)
        return None
    draft.places.put(f"{key}.args.arguments", f"{part.where}.args")
    draft.note(part.said, f"LibrarySchedule ({path}), moved by each {'step' if by_step else 'epoch'}")
    args = {"path": path, "arguments": dict(part.args), "by_step": by_step}
    return {"name": "LibrarySchedule", "args": {**args, "epochs": epochs} if not by_step else args}
