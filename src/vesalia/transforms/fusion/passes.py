"""The one pass over the voxels: read a window, move voxels, scale, write where the batch wants it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vesalia.imaging.affine_loops import Reading, is_compiled, read_linear, read_nearest
from vesalia.imaging.bent_loops import Bend, read_bent_linear, read_bent_nearest
from vesalia.imaging.box_loops import Boxes, loop_of
from vesalia.imaging.resample import Mode
from vesalia.transforms.fusion.pending import KEPT, Pending, Rule
from vesalia.transforms.spatial.affine_sampling import read_affine
from vesalia.transforms.spatial.bends import Bends, read_bent

__all__ = ["write"]

_NUMPY_TYPES = frozenset(
    {torch.float32, torch.float64, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool}
)
"""Types that NumPy reads with negative steps and converts at speed; the others go through torch."""

_LOOP_TYPES = frozenset({torch.float32, torch.int16, torch.uint8})
"""Types that the compiled loops are asked for; each costs a compilation."""

_AHEAD, _BACK = slice(None), slice(None, None, -1)

_WORTH_A_LOOP = 1 << 15
"""Voxels of a box below which NumPy is as fast, and no loop is compiled."""

_WORTH_A_THREAD = 1 << 16
"""Voxels of a member below which threads cost more than they save."""


def write(pending: Pending, out: torch.Tensor) -> None:
    """Do all that is pending and write it to ``out``.

    Args:
        pending: What to do.
        out: ``[B, C, *size]``, of the pending field's type and on its device.
    """
    if pending.maps is not None and not _suits_loops(pending, out):
        _move_together(pending, out)
        return
    if _suits_numpy(pending, out):
        work: Callable[[int], None] = _Copying(pending, out).member
    else:
        work = partial(_write_member, pending, pending.volume.as_batch(), out)
    members = range(len(out))
    threads = min(torch.get_num_threads(), len(out))
    if threads == 1 or out.device.type != "cpu" or out[0].numel() < _WORTH_A_THREAD:
        for member in members:
            work(member)
        return
    # In a pipeline's workers torch has one thread, and so has this.
    with ThreadPoolExecutor(threads, "vesalia-pass") as pool:
        list(pool.map(work, members))


def _suits_numpy(pending: Pending, out: torch.Tensor) -> bool:
    """Whether voxels are only cut, turned round and scaled, where NumPy and its loops are at their best."""
    types = {pending.volume.data.dtype, out.dtype}
    return pending.maps is None and out.device.type == "cpu" and types <= _NUMPY_TYPES


class _Copying:
    """Writes members whose voxels are only cut, turned round and scaled; by loops where these are worth it."""

    def __init__(self, pending: Pending, out: torch.Tensor) -> None:
        self._pending = pending
        self._source, self._out = pending.volume.as_batch().numpy(), out.numpy()
        self._loop = None
        if out[0, 0].numel() >= _WORTH_A_LOOP and Boxes.suit(self._source) and out.is_contiguous():
            self._loop = loop_of(self._source.dtype, self._out.dtype, scaled=pending.values is not None)
            self._boxes = Boxes(self._source)

    def member(self, member: int) -> None:
        """Write one member."""
        pending, target = self._pending, self._out[member]
        shared = member if len(self._source) > 1 else 0
        axes = pending.axes[member].tolist()
        rules = pending.rules(member)
        start = [0] * len(axes) if pending.starts is None else pending.starts[member].tolist()
        inner, place, whole = _overlap(self._source.shape[2:], start, pending.size, axes)
        if whole and self._loop is not None:
            for channel, rule in enumerate(rules):
                self._boxes.copy(self._loop, (shared, channel, *start), axes, target[channel], rule)
            return
        if not whole:
            _fill(target, rules)
        steps = tuple(_BACK if reverse else _AHEAD for reverse in axes)
        for read, written, rule in zip(self._source[shared][inner], target[place], rules, strict=True):
            _put_numpy(read[steps], written, rule)


def _write_member(pending: Pending, source: torch.Tensor, out: torch.Tensor, member: int) -> None:
    """Write one member, by the loops that read through maps, or where torch alone knows the type or the device."""
    data, target = source[member if len(source) > 1 else 0], out[member]
    axes = pending.axes[member].tolist()
    rules = pending.rules(member)
    if pending.starts is not None:
        inner, place, whole = _overlap(data.shape[1:], pending.starts[member].tolist(), pending.read_size, axes)
        if not whole:
            _fill(target, rules)
        data, target = data[inner], target if pending.maps is not None else target[place]
    if pending.maps is not None:
        bends = pending.bends
        bend = None if bends is None else Bend(bends.points[member].double().numpy(), bends.maps[member].numpy())
        reading = _Through(pending.maps[member].numpy(), bend, pending.mode)
        reading.move(data, target, rules)
    else:
        _put(data, target, [axis for axis, reverse in enumerate(axes) if reverse], rules)


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


def _fill(target: Any, rules: Sequence[Rule | None]) -> None:
    for plane, rule in zip(target, rules, strict=True):
        plane[...] = (rule or KEPT).fill


def _put(
    source: torch.Tensor, target: torch.Tensor, reversed_axes: Sequence[int], rules: Sequence[Rule | None]
) -> None:
    for read, written, rule in zip(source, target, rules, strict=True):
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


@dataclass(frozen=True, slots=True)
class _Through:
    """What one member is read through by the compiled loops."""

    matrix: npt.NDArray[np.float64]
    bend: Bend | None
    mode: Mode

    def move(self, source: torch.Tensor, target: torch.Tensor, rules: Sequence[Rule | None]) -> None:
        """Read ``source`` ``[C, *window]``; nothing outside of it is read."""
        for read, written, rule in zip(source, target, rules, strict=True):
            how = rule or KEPT
            strides = (read.stride(0), read.stride(1))
            row = torch.as_strided(source, (source.untyped_storage().nbytes() // source.element_size(),), (1,), 0)
            shape = (read.shape[0], read.shape[1], read.shape[2])
            place = (read.storage_offset(), strides, shape, self.matrix)
            self._read(Reading(row.numpy(), *place, how.scale, how.shift, how.fill), written.numpy())
            _cut_off(written, rule)

    def _read(self, reading: Reading, out: npt.NDArray[Any]) -> None:
        if self.bend is None:
            (read_linear if self.mode == "linear" else read_nearest)(reading, out)
        else:
            (read_bent_linear if self.mode == "linear" else read_bent_nearest)(reading, out, bend=self.bend)


def _suits_loops(pending: Pending, out: torch.Tensor) -> bool:
    source = pending.volume.as_batch()
    dense = source.device.type == "cpu" and source.ndim == len("BCDHW") and source.stride(-1) == 1
    scaled_label = pending.mode == "nearest" and pending.values is not None
    return dense and source.dtype in _LOOP_TYPES and out.is_contiguous() and not scaled_label and is_compiled()


def _move_together(pending: Pending, out: torch.Tensor) -> None:
    """Read all members through their maps at once: on a GPU, in 2D, and where there are no loops.

    Members that are read out of one volume are read one after the other, each from the box of it that it needs.
    """
    source, maps = pending.volume.as_batch(), torch.as_tensor(pending.maps)
    if pending.starts is None and len(source) < pending.members:
        for member in range(pending.members):
            one = slice(member, member + 1)
            bends = None if pending.bends is None else pending.bends.members(one)
            box, placed = _needed(source, maps[one], bends, size=pending.size)
            _read_through(pending, box, out[one], maps=placed, members=one)
        return
    if pending.starts is not None:
        starts = enumerate(pending.starts.tolist())
        windows = [_window(source[min(member, len(source) - 1)], start, pending.read_size) for member, start in starts]
        source = torch.stack(windows)
    _read_through(pending, source, out, maps=maps, members=slice(None))


def _read_through(
    pending: Pending, source: torch.Tensor, out: torch.Tensor, *, maps: torch.Tensor, members: slice
) -> None:
    """Read ``[B, C, *window]`` of some members through their maps.

    Resampling writes 0 outside. What is to stand there is taken off before and added after, so that 0 becomes it.
    """
    size, mode, values = out.shape[2:], pending.mode, pending.values
    if pending.bends is None:
        read = partial(read_affine, maps=maps, size=size, mode=mode)
    else:
        read = partial(read_bent, maps=maps, bends=pending.bends.members(members), size=size, mode=mode)
    if values is None:
        out.copy_(read(source))
        return
    kind = torch.float64 if source.dtype == torch.float64 else torch.float32
    table = torch.from_numpy(values.table[:, members].copy()).to(device=source.device, dtype=kind)
    scale, shift, low, high, fill = table.view(*table.shape, *[1] * len(size))
    source = torch.addcmul(shift - fill, source.to(kind), scale)
    if mode == "nearest":  # limits may be older than the map, and do not hold for what stands outside
        out.copy_(read(source.clamp(low - fill, high - fill)) + fill)
    else:
        out.copy_((read(source) + fill).clamp(low, high))


def _needed(
    source: torch.Tensor, maps: torch.Tensor, bends: Bends | None, *, size: Sequence[int]
) -> tuple[torch.Tensor, torch.Tensor]:
    """The box of ``[1, C, *spatial]`` that is read through a map, and the map that leads into it."""
    corners = torch.tensor(list(product(*[(0.0, length - 1.0) for length in size])), dtype=maps.dtype)
    places = maps[0, :, :-1] @ corners.T + maps[0, :, -1:]
    least, most = places.amin(1), places.amax(1)
    if bends is not None:  # no displacement is larger than those of the control points
        least, most = least + bends.points[0].flatten(1).amin(1), most + bends.points[0].flatten(1).amax(1)
    shape = source.shape[2:]
    low = [int(min(max(0, first), length - 1)) for first, length in zip(least.floor() - 1, shape, strict=True)]
    ends = zip(low, most.ceil() + 2, shape, strict=True)
    lengths = [int(min(max(first + 1, end), length)) - first for first, end, length in ends]
    moved = maps.clone()
    moved[0, :, -1] -= torch.tensor(low, dtype=maps.dtype)
    return _window(source[0], low, lengths)[None], moved


def _window(data: torch.Tensor, start: Sequence[int], size: Sequence[int]) -> torch.Tensor:
    for axis, (first, length) in enumerate(zip(start, size, strict=True), start=1):
        data = data.narrow(axis, first, length)
    return data
