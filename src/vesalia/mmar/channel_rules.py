"""Rules of channels: what the transforms make of images and labels fits the network and those who read labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Sequence

from vesalia.mmar.batch_shape import channels_through
from vesalia.mmar.findings import Findings
from vesalia.mmar.label_rules import is_classification
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.kinds import shown

__all__ = ["check_image_channels", "check_label_channels", "check_tags", "wanted_label_channels"]

_ONE_HOT = ("is_onehot_targets", "is_one_hot_targets")
_DECLARED = "output_image_channels"
_MASKED = "DiceMaskedOutput"


def check_image_channels(chain: Iterable[ComponentPlan], *, pipeline: ComponentPlan, findings: Findings) -> None:
    """The network gets as many channels as it is made for, from files of some number of channels.

    Args:
        chain: What happens to an image.
        pipeline: The training pipeline, which declares the network's input.
        findings: Where faults go.
    """
    made = channels_through(chain, "image")
    declared = pipeline.argument(_DECLARED, 1)
    if made is None or not made.made_by or not isinstance(declared, int):
        return
    if made.of(1) == declared or made.stored(declared) is not None:
        return
    found = str(declared) if _DECLARED in pipeline.args else f"nothing, which is {declared}"
    expected = f"{made.of(1)}, as {made.made_by} makes" + (" of one channel" if made.times else "")
    findings.fault(f"{pipeline.where}.args.{_DECLARED}", found=found, expected=expected, write=str(made.of(1)))


def wanted_label_channels(reader: ComponentPlan, classes: object) -> int | None:
    """Channels that a label must have for a loss, an auxiliary operation or a metric; None where any will do."""
    flag = next((name for name in _ONE_HOT if name in {**reader.defaults, **reader.args}), None)
    if flag is None or reader.target.origin != "builtin" or not isinstance(classes, int):
        return None
    if reader.slot == "metric" and (
        (reader.argument("field"), reader.argument("label_field")) != ("model", "label")
        or reader.argument("num_classes") is not None
    ):
        return None
    return classes if reader.argument(flag) is True else 1


def check_label_channels(
    chain: Sequence[ComponentPlan],
    *,
    pipeline: ComponentPlan | None,
    model: ComponentPlan | None,
    readers: Iterable[ComponentPlan],
    findings: Findings,
) -> None:
    """Where transforms make the label's channels, their number is what each reader counts on.

    Args:
        chain: What happens to a label.
        pipeline: The pipeline; label vectors are no matter of channels.
        model: The network.
        readers: Losses, auxiliary operations and metrics.
        findings: Where faults go.
    """
    made = None if is_classification(pipeline) else channels_through(chain, "label")
    if made is None or made.times or model is None:
        return
    classes = model.argument("num_classes")
    for reader in readers:
        wanted = wanted_label_channels(reader, classes)
        if wanted is None or wanted == made.more:
            continue
        flag = next(name for name in _ONE_HOT if name in {**reader.defaults, **reader.args})
        is_one_hot = reader.argument(flag) is True
        channels = "one channel" if made.more == 1 else f"{made.more} channels"
        found = f"{str(is_one_hot).lower()}, and labels with {channels}, which {made.made_by} makes"
        if made.more == (1 if is_one_hot else classes):
            expected, write = f"{str(not is_one_hot).lower()} for such labels", str(not is_one_hot).lower()
        else:
            expected = f"labels with {wanted} (num_classes is {classes})"
            write = f"num_classes: {made.more} of the model, or another {made.made_by}"
        findings.fault(f"{reader.where}.args.{flag}", found=found, expected=expected, write=write)


def check_tags(aux_ops: Iterable[ComponentPlan], model: ComponentPlan | None, *, findings: Findings) -> None:
    """DiceMaskedOutput has one tag, or one for the mean and one per class that it judges."""
    classes = model.argument("num_classes") if model is not None else None
    if not isinstance(classes, int):
        return
    for each in aux_ops:
        tags = each.argument("tags")
        if each.name != _MASKED or each.target.origin != "builtin" or tags is None:
            continue
        names = [name.strip() for name in tags.split(",")] if isinstance(tags, str) else list(tags)
        judged = classes - 1 if each.argument("skip_background") is True and classes > 1 else classes
        if len(names) not in {1, judged + 1}:
            found = f"{len(names)} names"
            expected = f"1 (for the mean) or {judged + 1} (for the mean and {judged} classes)"
            write = f"{shown(names[:1])}, or a name for each"
            findings.fault(f"{each.where}.args.tags", found=found, expected=expected, write=write)
