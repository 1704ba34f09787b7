"""Rules of classification: label vectors, the network's channels, loss, metrics and inferer fit together."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable

from vesalia.mmar.findings import Findings
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.kinds import shown

__all__ = ["check_heads", "check_inferer", "check_task", "is_classification"]

_FORMAT = "output_label_format"
_OWN_FORMAT = "label_format"


def is_classification(pipeline: ComponentPlan | None) -> bool:
    """Whether labels are vectors of numbers."""
    return pipeline is not None and pipeline.target.origin == "builtin" and pipeline.name.startswith("Classification")


def check_heads(
    pipeline: ComponentPlan,
    *,
    model: ComponentPlan | None,
    loss: ComponentPlan | None,
    readers: Iterable[ComponentPlan],
    findings: Findings,
) -> None:
    """The network has the channels that the label format adds up to, and all that read labels know which are whose.

    Args:
        pipeline: The training pipeline.
        model: The network.
        loss: The loss.
        readers: Auxiliary operations and metrics.
        findings: Where faults go.
    """
    widths = pipeline.argument(_FORMAT)
    if not is_classification(pipeline) or not isinstance(widths, tuple):
        return
    classes = model.argument("num_classes") if model is not None else None
    if model is not None and isinstance(classes, int) and classes != sum(widths):
        expected = f"{sum(widths)}, as {pipeline.where}.args.{_FORMAT} adds up to"
        key = f"{model.where}.args.num_classes"
        findings.fault(key, found=str(classes), expected=expected, write=str(sum(widths)))
    if loss is not None:
        _check_binary_loss(loss, widths, findings)
    for reader in [*([loss] if loss is not None else []), *readers]:
        _check_own_format(reader, widths, findings)


def _check_binary_loss(loss: ComponentPlan, widths: tuple[int, ...], findings: Findings) -> None:
    if loss.name == "BinaryClassificationLoss" and any(width > 1 for width in widths):
        expected = f"a loss for labels of several classes ({_FORMAT} is {shown(widths)})"
        write = '"MulticlassClassificationLoss"'
        findings.fault(f"{loss.where}.name", found=shown(loss.name), expected=expected, write=write)


def _check_own_format(reader: ComponentPlan, widths: tuple[int, ...], findings: Findings) -> None:
    """A component that tells channels and labels apart evenly must be told where they are uneven."""
    if _OWN_FORMAT not in reader.defaults:
        return
    own = reader.argument(_OWN_FORMAT)
    key = f"{reader.where}.args.{_OWN_FORMAT}"
    if own is None and len(set(widths)) > 1:
        expected = f"{shown(widths)}, as the pipeline's {_FORMAT} (channels are not the same number for each label)"
        findings.fault(key, found="nothing", expected=expected, write=shown(widths))
    elif own is not None and tuple(own) != widths:
        expected = f"{shown(widths)}, as the pipeline's {_FORMAT}"
        findings.fault(key, found=shown(own), expected=expected, write=shown(widths))


def check_inferer(pipeline: ComponentPlan, inferer: ComponentPlan | None, *, findings: Findings) -> None:
    """A classifier sees the whole image: windows would each give a vector."""
    if inferer is not None and is_classification(pipeline) and inferer.name == "TFScanWindowInferer":
        expected = "one pass over the whole image for a classification"
        findings.fault(f"{inferer.where}.name", found=shown(inferer.name), expected=expected, write='"TFSimpleInferer"')


def check_task(pipeline: ComponentPlan, task: object, *, findings: Findings) -> None:
    """``PROCESSING_TASK`` says what the pipeline does; nothing else reads it, so a slip is a warning."""
    is_said = task == "classification"
    if task in {"segmentation", "classification"} and is_said != is_classification(pipeline):
        write = "classification" if is_classification(pipeline) else "segmentation"
        findings.warn("PROCESSING_TASK", found=shown(task), expected=f"what {pipeline.name} does", write=shown(write))
