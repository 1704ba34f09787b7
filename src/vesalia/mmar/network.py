"""What a network is told by the rest of a config: the axes of its images, and what its outputs stand for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vesalia.mmar.findings import Findings
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.catalog import FILLED
from vesalia.registry.kinds import shown
from vesalia.registry.library import CHANNEL_NAMES

__all__ = ["axes_of", "fit_network"]

_AXES = FILLED["model"]
_PRETRAINED = ("pretrain_weight_name", "pretrain_weight_url")
_MULTI_LABEL = "BinaryClassificationLoss"


def fit_network(
    model: ComponentPlan | None, *, loss: ComponentPlan | None, pipeline: ComponentPlan | None, findings: Findings
) -> ComponentPlan | None:
    """The network with what its config leaves to the pipeline and the loss filled in.

    The filled-in arguments are part of the plan, so the card beside the weights has them, too.

    Args:
        model: The network as its config names it.
        loss: The loss it is trained by.
        pipeline: The image pipeline.
        findings: Where faults go.
    """
    if model is None:
        return None
    args = dict(model.args)
    if pipeline is not None:
        args.update(_axes(model, pipeline, findings))
        _check_channels(model, pipeline, findings)
    args.update(_activation(model, loss, findings))
    _check_pretrained(model, findings)
    return replace(model, args=args)


def axes_of(pipeline: ComponentPlan) -> Any:
    """``output_data_dims``; where a config leaves it out, a declared size of two numbers says 2."""
    size = pipeline.args.get("output_crop_size")
    if "output_data_dims" not in pipeline.args and isinstance(size, tuple) and len(size) == 2:
        return 2
    return pipeline.argument("output_data_dims")


def _written(model: ComponentPlan) -> dict[str, Any]:
    """The arguments as the config has them; those of a library's class stand among the adapter's there."""
    inner = model.args.get("arguments")
    return {**(inner if isinstance(inner, Mapping) else {}), **model.args}


def _axes(model: ComponentPlan, pipeline: ComponentPlan, findings: Findings) -> dict[str, int]:
    """The number of spatial axes: the pipeline's, where the constructor asks for it and the config does not say."""
    axes = axes_of(pipeline)
    if axes not in {2, 3}:
        return {}
    written = _written(model)
    for name in sorted(_AXES & written.keys()):
        if written[name] != axes:
            expected = f"{axes}, as output_data_dims in {pipeline.where} has it"
            key = f"{model.where}.args.{name}"
            findings.fault(key, found=shown(written[name]), expected=expected, write=f"{axes}, or nothing here")
    return {name: axes for name in _AXES & model.defaults.keys() if name not in model.args}


def _check_channels(model: ComponentPlan, pipeline: ComponentPlan, findings: Findings) -> None:
    """A library's class may name its input channels; the images must have them."""
    channels = pipeline.argument("output_image_channels", 1)
    written = _written(model)
    for name in CHANNEL_NAMES:
        if written.get(name, channels) != channels:
            expected = f"{channels}, as output_image_channels in {pipeline.where} has it (1 where it is not given)"
            write = f'"output_image_channels": {shown(written[name])} in {pipeline.where}.args'
            findings.fault(f"{model.where}.args.{name}", found=shown(written[name]), expected=expected, write=write)


def _activation(model: ComponentPlan, loss: ComponentPlan | None, findings: Findings) -> dict[str, str]:
    """A sigmoid where each output is a label of its own: a softmax would let them exclude each other."""
    if loss is None or loss.target.origin != "builtin" or loss.name != _MULTI_LABEL:
        return {}
    name = "final_activation"
    if name in model.defaults and name not in model.args:
        return {name: "sigmoid"}
    if model.args.get(name) == "softmax":
        expected = f'"sigmoid" with {_MULTI_LABEL} (in a softmax the labels exclude each other)'
        findings.warn(f"{model.where}.args.{name}", found='"softmax"', expected=expected, write='"sigmoid"')
    return {}


def _check_pretrained(model: ComponentPlan, findings: Findings) -> None:
    for name in _PRETRAINED:
        value = model.argument(name)
        if value:
            findings.warn(
                f"{model.where}.args.{name}",
                found=f"{shown(value)}, which is not read (Keras weights in HDF5), nor fetched",
                expected="nothing: the training starts from random weights",
                write='"" here, and --set MMAR_CKPT=... to start from a model of Vesalia',
            )
