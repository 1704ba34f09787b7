"""``post_transforms`` and metrics of a v4 config: the usual ways from logits to a score."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.part import Part, read_part, read_parts
from vesalia.mmar.v4.steps import canonical, fields_of
from vesalia.registry.kinds import shown

__all__ = ["PREDICTION", "Judging", "read_metrics", "read_post"]

PREDICTION = "pred"
"""v4's name of the prediction; ours is ``model``."""
_MEAN_DICE = frozenset({"MeanDice", "DiceMetric", "DiceHelper"})
_THRESHOLDS = ("threshold", "logit_thresh")
_NOTHING = frozenset({"ToTensord", "EnsureTyped", "CastToTyped", "SplitDimd", "ToDeviced", "DeleteItemsd"})
_HALF = 0.5


@dataclass(slots=True)
class Judging:
    """What the post-transforms say.

    Attributes:
        activation: ``softmax``, ``sigmoid``, or None where they name none.
        argmax: Whether the largest channel decides.
        threshold: Above which a channel counts.
        classes: Classes that the largest channel is chosen among; None where they do not say.
        inverted: Whether the prediction goes back to the image's own grid.
        nearest: Whether it goes there by the nearest voxel.
        largest: The arguments of the step that keeps the largest component, if there is one.
        saved: The arguments of the step that writes predictions, if there is one.
    """

    activation: str | None = None
    argmax: bool = False
    threshold: float = _HALF
    classes: int | None = None
    inverted: bool = False
    nearest: bool = True
    largest: Mapping[str, Any] | None = None
    saved: Mapping[str, Any] | None = None


def _of_prediction(part: Part, name: str) -> Any:
    """An argument as it holds for the prediction: a list has a value per key."""
    value = part.args.get(name)
    keys = fields_of(part)
    if isinstance(value, list) and PREDICTION in keys and len(value) == len(keys):
        return value[keys.index(PREDICTION)]
    return value


def read_post(parts: Sequence[Part], draft: Draft, *, saves: bool = False) -> Judging:
    """What a chain from logits to masks does, as far as it is a usual one; what is not, is reported.

    Args:
        parts: The chain.
        draft: Where faults and notes go.
        saves: Whether steps that bring back, clean and write the prediction may be among them.
    """
    judging = Judging()
    for part in parts:
        name = canonical(part.name)
        if part.is_custom or not (
            name in _NOTHING or name in {"Activationsd", "AsDiscreted"} or (saves and name in _SAVING)
        ):
            _refuse(part, draft, saves=saves)
        elif name == "Activationsd":
            _activation(part, judging, draft)
        elif name == "AsDiscreted":
            _discrete(part, judging, draft)
        elif name in _NOTHING:
            draft.note(part.said, "nothing")
        else:
            _save(name, part, judging, draft)
    return judging


_SAVING = {"Invertd": "inverted", "KeepLargestConnectedComponentd": "largest", "SaveImaged": "saved"}


def _refuse(part: Part, draft: Draft, *, saves: bool) -> None:
    usual = ["Activationsd", "AsDiscreted", *(_SAVING if saves else ())]
    expected = f"one of {', '.join(usual)}"
    write = '"disabled": true beside it'
    draft.fault(f"{part.where}.name", found=shown(part.name), expected=expected, write=write)


def _activation(part: Part, judging: Judging, draft: Draft) -> None:
    chosen = [name for name in ("softmax", "sigmoid") if _of_prediction(part, name) is True]
    if len(chosen) != 1:
        expected = "softmax or sigmoid of the prediction"
        draft.fault(
            part.where,
            found=shown(dict(part.args)),
            expected=expected,
            write='"args": {"keys": "pred", "softmax": true}',
        )
        return
    judging.activation = chosen[0]
    draft.note(part.said, f"final_activation {chosen[0]} of the model")


def _discrete(part: Part, judging: Judging, draft: Draft) -> None:
    judging.argmax = judging.argmax or _of_prediction(part, "argmax") is True
    threshold = next((_of_prediction(part, name) for name in _THRESHOLDS if name in part.args), _HALF)
    counts = [_of_prediction(part, name) for name in ("to_onehot", "n_classes", "num_classes")]
    numbers = [count for count in counts if isinstance(count, int) and not isinstance(count, bool)]
    judging.classes = numbers[0] if numbers else judging.classes
    judging.threshold = threshold if isinstance(threshold, float) else _HALF
    draft.note(part.said, "the metric, which compares classes")


def _save(name: str, part: Part, judging: Judging, draft: Draft) -> None:
    if name == "Invertd":
        judging.inverted = True
        judging.nearest = _of_prediction(part, "nearest_interp") is not False
        draft.note(part.said, "RestoreOriginalShape")
    elif name == "SaveImaged":
        judging.saved = part.args
        draft.note(part.said, "WriteNifti")
    else:
        judging.largest = part.args
        draft.note(part.said, "KeepLargestCC")


def _listed(section: Mapping[str, Any], where: str, draft: Draft) -> list[tuple[Part, str, bool]]:
    """Each metric with its name, and whether it is the key metric."""
    found: list[tuple[Part, str, bool]] = []
    for slot in ("key_metric", "metrics", "additional_metrics"):
        nodes, place = section.get(slot), f"{where}{slot}"
        if isinstance(nodes, list):
            parts = read_parts(nodes, place, draft=draft)
        else:
            one = read_part(nodes, place, draft=draft)
            parts = [one] if one else []
        for part in parts:
            label = part.node.get("log_label", part.args.get("name"))
            is_key = slot == "key_metric" or part.node.get("is_key_metric") is True
            found.append((part, label if isinstance(label, str) else part.name, is_key))
    return found


def read_metrics(
    section: Mapping[str, Any], where: str, *, draft: Draft, judging: Judging, multilabel: bool, slot: str
) -> list[dict[str, Any]]:
    """The metrics as ours; a second Dice is left out, since the first one tells the score of each class.

    Args:
        section: The section that holds them.
        where: The beginning of its key paths.
        draft: Where faults and notes go.
        judging: What the post-transforms say.
        multilabel: Whether the label has a channel per class.
        slot: Key path of the list in our config.
    """
    made: list[dict[str, Any]] = []
    for part, name, is_key in sorted(_listed(section, where, draft), key=lambda each: not each[2]):
        if part.name not in _MEAN_DICE or part.is_custom:
            if not is_key:
                draft.note(part.said, "nothing (only MeanDice is judged here)")
                continue
            expected = "MeanDice (the metric that chooses the best model must be one that is known here)"
            draft.fault(f"{part.where}.name", found=shown(part.name), expected=expected, write='"MeanDice"')
        elif made:
            draft.note(part.said, "nothing (the key metric tells the score of each class)")
        else:
            args = {
                "name": name,
                "field": "model",
                "is_key_metric": is_key,
                "remove_bg": part.args.get("include_background", True) is not True,
            }
            args |= {"is_one_hot_targets": True} if multilabel else {}
            args |= {"logit_thresh": judging.threshold} if judging.threshold != _HALF else {}
            draft.places.put(f"{slot}[{len(made)}]", part.where)
            draft.note(part.said, "ComputeAverageDice")
            made.append({"name": "ComputeAverageDice", "args": args})
    return made
