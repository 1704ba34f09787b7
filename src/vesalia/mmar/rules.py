"""Rules between components: what each of them takes for itself, and what cannot work together."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vesalia.mmar.findings import Findings
from vesalia.mmar.network import axes_of
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.kinds import shown
from vesalia.runtime.nearness import nearest

__all__ = [
    "check_batching",
    "check_crop_size",
    "check_fields",
    "check_metric_fields",
    "check_metric_names",
    "check_model_and_loss",
    "check_schedule",
    "tags_of",
]

_BATCH_CROPS = frozenset({"CropByPosNegRatio", "FastCropByPosNegRatio", "CropByPosNegRatioLabelOnly"})
_ROI_CROP = "FastPosNegRatioCropROI"
_MERGE = "MergeBatchDims"
_MONAI = "MonaiTransform"
_MONAI_CROPS = frozenset(
    {"RandCropByLabelClassesd", "RandCropByPosNegLabeld", "RandSpatialCropSamplesd", "RandWeightedCropd"}
)
"""MONAI's transforms that make several samples of one."""
_READS = ("fields", "field", "image_field", "label_field", "src_field", "from_field")
_TAGS = ("tag", "tags", "binary_preds_name", "binary_labels_name")
_MAKES = ("label_names", "channel_names", "class_names", "points_channel_field")
_ALWAYS = ("image", "label")


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(","))
    return tuple(name for name in value if isinstance(name, str)) if isinstance(value, list | tuple) else ()


def _is_shipped(component: ComponentPlan, names: Iterable[str]) -> bool:
    return component.target.origin == "builtin" and component.name in names


def _monai(component: ComponentPlan) -> Mapping[str, Any] | None:
    """The arguments of MONAI's own transform, where a component is one."""
    found = component.args.get("arguments") if _is_shipped(component, {_MONAI}) else None
    return found if isinstance(found, Mapping) else None


def _gives_batch(component: ComponentPlan) -> bool:
    if _monai(component) is not None:
        return str(component.args.get("path")).rpartition(".")[2] in _MONAI_CROPS
    if _is_shipped(component, {_ROI_CROP}):
        return component.args.get("batch_size") is not None
    return _is_shipped(component, _BATCH_CROPS)


def _is_foreign(components: Iterable[ComponentPlan]) -> bool:
    return any(component.target.origin != "builtin" for component in components)


def check_batching(
    pre_transforms: Sequence[ComponentPlan],
    batch_transforms: Sequence[ComponentPlan],
    *,
    pipeline: ComponentPlan,
    findings: Findings,
) -> None:
    """Crops that give a batch, ``batched_by_transforms`` and ``MergeBatchDims`` belong together in two ways only.

    Either the chain gives the batch (``batched_by_transforms: true``, no merge), or the pipeline stacks what a
    batching crop gives and ``MergeBatchDims`` folds it.
    """
    crops = [component for component in pre_transforms if _gives_batch(component)]
    merges = [component for component in batch_transforms if _is_shipped(component, {_MERGE})]
    by_transforms = pipeline.argument("batched_by_transforms", default=False)
    flag = f"{pipeline.where}.args.batched_by_transforms"
    if len(crops) > 1:
        expected = f"one crop that gives a batch (the first is {crops[0].where})"
        findings.fault(crops[1].where, found=crops[1].name, expected=expected, write="nothing here")
    if by_transforms and merges:
        expected = f"false where {_MERGE} is used (the pipeline stacks items, {_MERGE} folds them)"
        findings.fault(flag, found="true", expected=expected, write="false")
    elif by_transforms and not crops and not _is_foreign(pre_transforms):
        expected = f"a transform that gives a batch ({', '.join(sorted(_BATCH_CROPS))})"
        findings.fault(flag, found="true, but no transform gives a batch", expected=expected, write="false")
    elif crops and not by_transforms and not merges and not _is_foreign(batch_transforms):
        findings.fault(
            crops[0].where,
            found=f"{crops[0].name}, whose crops the pipeline stacks once more (a tensor of 6 dimensions)",
            expected=f"{_MERGE} in train.batch_transforms",
            write=f'"batch_transforms": [{{"name": "{_MERGE}", "args": {{"fields": ["image", "label"]}}}}]',
        )
    elif merges and not crops and not _is_foreign(pre_transforms):
        expected = f"it only after a crop that gives a batch ({', '.join(sorted(_BATCH_CROPS))})"
        findings.fault(merges[0].where, found=_MERGE, expected=expected, write="nothing here")
    elif merges and crops:
        _check_merged_fields(crops[0], merges[0], findings)


def _check_merged_fields(crop: ComponentPlan, merge: ComponentPlan, findings: Findings) -> None:
    """Every field that was cropped into a batch must be folded again."""
    roles = (name for role in ("fields", "image_field", "label_field") for name in _names(crop.argument(role)))
    cropped = dict.fromkeys((*roles, *_names((_monai(crop) or {}).get("keys"))))
    merged = _names(merge.argument("fields"))
    if merged and not set(cropped) <= set(merged):
        everything = list(dict.fromkeys((*merged, *cropped)))
        expected = f"every field that {crop.name} crops ({', '.join(cropped)})"
        findings.fault(f"{merge.where}.args.fields", found=shown(merged), expected=expected, write=shown(everything))


def check_crop_size(pre_transforms: Sequence[ComponentPlan], pipeline: ComponentPlan, *, findings: Findings) -> None:
    """The declared size has one number per axis, and is the size that the crop gives."""
    declared = pipeline.argument("output_crop_size")
    axes = axes_of(pipeline)
    if not isinstance(declared, tuple):
        return
    key = f"{pipeline.where}.args.output_crop_size"
    crops = [component for component in pre_transforms if isinstance(component.args.get("size"), tuple)]
    sizes = crops[-1].args["size"] if crops else declared
    source = "output_data_dims says"
    if "output_data_dims" not in pipeline.args and len(declared) < len(sizes):
        axes, source = len(sizes), f"{crops[-1].where} crops"
    if isinstance(axes, int) and len(declared) != axes:
        expected = f"{axes} numbers, as {source}"
        findings.fault(key, found=shown(declared), expected=expected, write=shown(declared[:1] * axes))
        return
    if len(sizes) != len(declared) or any(one not in {-1, two} for one, two in zip(declared, sizes, strict=False)):
        expected = f"{shown(sizes)}, as {crops[-1].where} crops (the declaration itself does not crop)"
        findings.warn(key, found=shown(declared), expected=expected, write=shown(sizes))


def check_fields(chain: Sequence[ComponentPlan], given: Iterable[str], *, findings: Findings) -> frozenset[str] | None:
    """Each transform reads fields that are there by then.

    Args:
        chain: Transforms in order.
        given: The fields before the first of them.
        findings: Where faults go.

    Returns:
        The fields after the last; None where a foreign transform may have made any.
    """
    known = dict.fromkeys((*_ALWAYS, *given))
    foreign = False
    for component in chain:
        foreign = foreign or component.target.origin != "builtin" or _monai(component) is not None
        for role in _READS:
            for name in _names(component.args.get(role)):
                if not foreign and name not in known:
                    _report_field(f"{component.where}.args.{role}", name, known, findings)
                known[name] = None
        known.update(dict.fromkeys(name for role in _MAKES for name in _names(component.args.get(role))))
    return None if foreign else frozenset(known)


def _report_field(key: str, name: str, known: Iterable[str], findings: Findings, write: str = "") -> None:
    near = nearest(name, list(known))
    proposal = f"{shown(near)} (did you mean this?)" if near else write or "the name of a field that is there"
    findings.fault(key, found=shown(name), expected=f"one of the fields {', '.join(known)}", write=proposal)


def tags_of(aux_ops: Sequence[ComponentPlan]) -> frozenset[str] | None:
    """The names of the values that auxiliary operations compute; None where foreign ones may compute any."""
    if _is_foreign(aux_ops):
        return None
    return frozenset(name for op in aux_ops for role in _TAGS for name in _names(op.argument(role)))


def check_metric_fields(
    metrics: Sequence[ComponentPlan], known: Iterable[str], *, findings: Findings, training: bool = True
) -> None:
    """Each metric reads fields that something makes: in ``training``, auxiliary operations too."""
    ordered = sorted(known)
    for metric in metrics:
        for role in ("field", "label_field"):
            for name in _names(metric.args.get(role)):
                if metric.target.origin == "builtin" and name not in ordered:
                    makers = f'{{"name": "NegLoss", "args": {{"tag": {shown(name)}}}}} in train.aux_ops, or '
                    write = f"{makers if training else ''}one of these"
                    _report_field(f"{metric.where}.args.{role}", name, ordered, findings, write)


def check_metric_names(metrics: Sequence[ComponentPlan], findings: Findings, *, needs_key: bool, where: str) -> None:
    """Names are unique (files are called after them), and one metric chooses the best model."""
    first: dict[str, ComponentPlan] = {}
    for metric in metrics:
        name = metric.argument("name")
        if isinstance(name, str) and first.setdefault(name, metric) is not metric:
            found = f"{shown(name)} a second time (first at {first[name].where})"
            key = f"{metric.where}.args.name"
            findings.fault(key, found=found, expected="each name once", write=shown(f"{name}_2"))
    flagged = [metric for metric in metrics if metric.argument("is_key_metric") is True]
    for metric in flagged[1:] if needs_key else ():
        expected = f"one key metric (the first is {flagged[0].where})"
        findings.fault(f"{metric.where}.args.is_key_metric", found="true", expected=expected, write="false")
    if needs_key and not metrics:
        findings.warn(where, found="no metric", expected="a metric with is_key_metric (the last model is kept)")
    elif needs_key and not flagged:
        found, expected = "no metric with is_key_metric", f"one (the first is taken, {metrics[0].where})"
        findings.warn(where, found=found, expected=expected, write='"is_key_metric": true')


def check_model_and_loss(model: ComponentPlan | None, loss: ComponentPlan | None, *, findings: Findings) -> None:
    """One output channel needs a sigmoid, and has no background channel that a loss could skip."""
    if model is None or model.argument("num_classes") != 1:
        return
    if model.argument("final_activation") == "softmax":
        found = '"softmax" over one channel, which is 1 everywhere'
        key = f"{model.where}.args.final_activation"
        findings.fault(key, found=found, expected='"sigmoid" where num_classes is 1', write='"sigmoid"')
    if loss is not None and loss.argument("skip_background") is True:
        expected = "false where num_classes is 1 (the only channel is the foreground)"
        findings.fault(f"{loss.where}.args.skip_background", found="true", expected=expected, write="false")


def check_schedule(epochs: int | None, valid_every: int | None, *, findings: Findings) -> None:
    """An interval longer than the training never comes."""
    if epochs is not None and valid_every is not None and valid_every > epochs:
        findings.warn(
            "num_training_epoch_per_valid",
            found=f"{valid_every}, more than the {epochs} epochs",
            expected="a number that does not exceed epochs (one validation is done at the end)",
            write=str(max(1, epochs // 2)),
        )
