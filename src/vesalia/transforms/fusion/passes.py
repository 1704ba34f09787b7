"""The one pass over the voxels: read a window, move voxels, scale, write where the batch wants it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from vesalia.imaging.affine_loops import Reading, is_compiled, read_linear, read_nearest
from vesalia.transforms.fusion.pending import KEPT, Pending, Rule
from vesalia.transforms.spatial.affine_sampling import read_affine

__all__ = ["write"]

_NUMPY_TYPES = frozenset(
    {torch.float32, torch.float64, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool}
)
"""Types that NumPy reads with negative steps and converts at speed; the others go through torch."""

_LOOP_TYPES = frozenset({torch.float32, torch.int16, torch.uint8})
"""Types that the compiled loops are asked for; each costs a compilation."""


_WORTH_A_THREAD = 1 << 16
"""Voxels of a member below which threads cost more than they save."""


def write(pending: Pending, out: torch.Tensor) -> None:
    """Do all that is pending and write it to ``out``.

    Args:
        pending: What to do.
        out: ``[B, C, *size]``, of the pending field's type and on its device.
    """
    threads = min(torch.get_num_threads(), len(out))
    if threads == 1 or out.device.type != "cpu" or out[0].numel() < _WORTH_A_THREAD:
        for member in range(len(out)):
            _write_member(pending, member, out[member])
        return
    with ThreadPoolExecutor(threads) as pool:  # in a pipeline's workers torch has one thread, and so has this
        list(pool.map(lambda member: _write_member(pending, member, out[member]), range(len(out))))


def _write_member(pending: Pending, member: int, target: torch.Tensor) -> None:
    source = pending.volume.as_batch()
    data = source[member if len(source) > 1 else 0]
    axes, rules = pending.axes[member].tolist(), _rules(pending, member)
    if pending.starts is not None:
        size = pending.window or pending.size
        inner, place, whole = _overlap(data.shape[1:], pending.starts[member].tolist(), size, axes)
        if not whole:
            _fill(target, rules)
        data, target = data[inner], target if pending.maps is not None else target[place]
    if pending.maps is not None:
        _move(data, target, pending, matrix=pending.maps[member], rules=rules)
    else:
        _put(data, target, [axis for axis, reverse in enumerate(axes) if reverse], rules)


def _rules(pending: Pending, member: int) -> Sequence[Rule | None]:
    """What becomes of the voxels of each channel; None where they are kept to the bit."""
    values = pending.values
    return [None if values is None else values.rule(member, channel) for channel in range(pending.channels)]


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


def _fill(target: torch.Tensor, rules: Sequence[Rule | None]) -> None:
    for plane, rule in zip(target, rules, strict=True):
        plane.fill_((rule or KEPT).fill)


def _put(
    source: torch.Tensor, target: torch.Tensor, reversed_axes: Sequence[int], rules: Sequence[Rule | None]
) -> None:
    through_numpy = source.device.type == "cpu" and {source.dtype, target.dtype} <= _NUMPY_TYPES
    for read, written, rule in zip(source, target, rules, strict=True):
        if through_numpy:
            steps = tuple(slice(None, None, -1 if axis in reversed_axes else None) for axis in range(read.ndim))
            _put_numpy(read.numpy()[steps], written.numpy(), rule)
        else:
            turned = read.flip(list(reversed_axes)) if reversed_axes else read
            written.copy_(turned if rule is None else turned.float().mul(rule.scale).add_(rule.shift))
            _cut_off(written, rule)


def _put_numpy(read: np.ndarray, written: np.ndarray, rule: Rule | None) -> None:
    if rule is None:
        written[...] = read
        return
    kind = written.dtype.type
    np.multiply(read, kind(rule.scale), out=written)
    if rule.shift:
        np.add(written, kind(rule.shift), out=written)
    if rule.cuts:
        np.clip(written, kind(rule.low), kind(rule.high), out=written)


def _cut_off(written: torch.Tensor, rule: Rule | None) -> None:
    if rule is not None and rule.cuts:
        written.clamp_(rule.low, rule.high)


def _move(
    source: torch.Tensor, target: torch.Tensor, pending: Pending, *, matrix: torch.Tensor, rules: Sequence[Rule | None]
) -> None:
    """Read ``source`` ``[C, *window]`` through a map; nothing outside of it is read."""
    if not _suits_loops(source, target, pending):
        target.copy_(read_affine(source[None], matrix[None], size=target.shape[1:], mode=pending.mode)[0])
        _put(target, target, [], rules)
        return
    for read, written, rule in zip(source, target, rules, strict=True):
        how = rule or KEPT
        strides = (read.stride(0), read.stride(1))
        row = torch.as_strided(source, (source.untyped_storage().nbytes() // source.element_size(),), (1,), 0).numpy()
        shape = (read.shape[0], read.shape[1], read.shape[2])
        reading = Reading(row, read.storage_offset(), strides, shape, matrix.numpy(), how.scale, how.shift, how.fill)
        (read_linear if pending.mode == "linear" else read_nearest)(reading, written.numpy())
        _cut_off(written, rule)


def _suits_loops(source: torch.Tensor, target: torch.Tensor, pending: Pending) -> bool:
    dense = source.device.type == "cpu" and source.ndim == len("CDHW") and source.stride(-1) == 1
    scaled_label = pending.mode == "nearest" and pending.values is not None
    return dense and source.dtype in _LOOP_TYPES and target.is_contiguous() and not scaled_label and is_compiled()
