"""The one pass over the voxels: read a window, reverse axes, scale, write where the batch wants it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from vesalia.transforms.fusion.pending import Pending, Values

__all__ = ["write"]

_NUMPY_TYPES = frozenset(
    {torch.float32, torch.float64, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool}
)
"""Types that NumPy reads with negative steps and converts at speed; the others go through torch."""


def write(pending: Pending, out: torch.Tensor) -> None:
    """Do all that is pending and write it to ``out``.

    Args:
        pending: What to do.
        out: ``[B, C, *size]``, of the pending field's type and on its device.
    """
    source = pending.volume.as_batch()
    axes = pending.axes.tolist()
    starts = None if pending.starts is None else pending.starts.tolist()
    through_numpy = source.device.type == "cpu" and {source.dtype, out.dtype} <= _NUMPY_TYPES
    put = _put_numpy if through_numpy else _put_torch
    for member, target in enumerate(out):
        data = source[member if len(source) > 1 else 0]
        reversed_axes = [axis for axis, reverse in enumerate(axes[member]) if reverse]
        if starts is None:
            put(data, target, reversed_axes, pending.values, member)
            continue
        inner, place, whole = _overlap(data.shape[1:], starts[member], pending.size, axes[member])
        if not whole:
            _fill(target, pending.values, member)
        put(data[inner], target[place], reversed_axes, pending.values, member)


def _overlap(
    shape: Sequence[int], start: Sequence[int], size: Sequence[int], axes: Sequence[bool]
) -> tuple[tuple[slice, ...], tuple[slice, ...], bool]:
    """The part of the source that a window covers, where it comes to lie once axes are reversed, and if it is all."""
    inner, place = [slice(None)], [slice(None)]
    whole = True
    for full, first, length, reverse in zip(shape, start, size, axes, strict=True):
        low, high = max(0, first), max(0, first, min(full, first + length))
        before, after = low - first, first + length - high
        whole = whole and not before and not after
        inner.append(slice(low, high))
        place.append(slice(after, length - before) if reverse else slice(before, length - after))
    return tuple(inner), tuple(place), whole


def _fill(target: torch.Tensor, values: Values | None, member: int) -> None:
    for channel, plane in enumerate(target):
        plane.fill_(0.0 if values is None else float(values.fill[member, channel]))


def _put_numpy(
    source: torch.Tensor, target: torch.Tensor, reversed_axes: Sequence[int], values: Values | None, member: int
) -> None:
    steps = tuple(slice(None, None, -1 if axis in reversed_axes else None) for axis in range(source.ndim - 1))
    for channel, (read, written) in enumerate(zip(source.numpy(), target.numpy(), strict=True)):
        turned = read[steps]
        if values is None:
            written[...] = turned
            continue
        scale, shift, low, high, _ = (float(each[member, channel]) for each in values.columns)
        kind = written.dtype.type
        np.multiply(turned, kind(scale), out=written)
        if shift:
            np.add(written, kind(shift), out=written)
        if low > -math.inf or high < math.inf:
            np.clip(written, kind(low), kind(high), out=written)


def _put_torch(
    source: torch.Tensor, target: torch.Tensor, reversed_axes: Sequence[int], values: Values | None, member: int
) -> None:
    turned = source.flip([axis + 1 for axis in reversed_axes]) if reversed_axes else source
    if values is None:
        target.copy_(turned)
        return
    ones = [1] * (source.ndim - 1)
    rows = (each[member].to(source.device, torch.float32).view(-1, *ones) for each in values.columns)
    scale, shift, low, high, _ = rows
    target.copy_(torch.addcmul(shift, turned.float(), scale).clamp_(low, high))
