"""Operators that are written as ONNX otherwise than by torch's exporter: the same numbers, quicker where they run.

Group normalisation is exported as an instance normalisation between two changes of shape. Runtimes that keep channels
side by side, as is quickest for convolutions, must turn all voxels around for each. Written by the means of channels,
which are few, nothing is turned.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

import torch

__all__ = ["translations"]

_FLOAT32: Final = 1
"""ONNX's number for it."""


def translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Torch's operators, and what writes them as ONNX; for ``torch.onnx.export(custom_translation_table=...)``."""
    op = importlib.import_module("onnxscript").opset18

    def numbers(*values: int) -> Any:
        return op.Constant(value_ints=values)

    def group_norm(  # noqa: PLR0917 - torch's own signature
        values: Any,
        num_groups: int,
        weight: Any = None,
        bias: Any = None,
        eps: float = 1e-5,
        cudnn_enabled: bool = True,  # noqa: ARG001
    ) -> Any:
        """By the means of groups, as means of those of their channels; Wu and He, arXiv:1803.08494."""
        given, half = values, values.dtype.name in {"FLOAT16", "BFLOAT16"}
        if half:  # as torch does: squares leave the range of half precision
            values = op.Cast(given, to=_FLOAT32)
            weight, bias = (part if part is None else op.Cast(part, to=_FLOAT32) for part in (weight, bias))
        channels, space = given.shape[1], range(2, len(given.shape))
        per_channel = numbers(0, channels, *[1] * len(space))

        def mean(of: Any) -> Any:
            each = op.ReduceMean(of, numbers(*space), keepdims=1) if space else of
            grouped = op.Reshape(each, numbers(0, num_groups, -1))
            shared = op.Expand(op.ReduceMean(grouped, numbers(2), keepdims=1), numbers(1, 1, channels // num_groups))
            return op.Reshape(shared, per_channel)

        centred = op.Sub(values, mean(values))
        least = op.CastLike(op.Constant(value_float=float(eps)), values)
        scale = op.Reciprocal(op.Sqrt(op.Add(mean(op.Mul(centred, centred)), least)))
        one = numbers(1, channels, *[1] * len(space))
        if weight is not None:
            scale = op.Mul(scale, op.Reshape(weight, one))
        scaled = op.Mul(centred, scale)
        normal = scaled if bias is None else op.Add(scaled, op.Reshape(bias, one))
        return op.CastLike(normal, given) if half else normal

    return {torch.ops.aten.group_norm.default: group_norm}
