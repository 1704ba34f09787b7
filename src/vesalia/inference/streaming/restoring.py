"""Averages to another grid on the way to their decision: interpolated as they are finished, a slab at a time.

A voxel of the target reads two neighbours along each axis. It is made with the window that finishes the upper one; of
the lower one, a face of the box before is kept. Labels need few of the classes interpolated:
see :mod:`vesalia.inference.streaming.borders`.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vesalia.imaging.axis_steps import TOLERANCE_VOXELS, AxisStep
from vesalia.inference.streaming.arrays import Arrays
from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.borders import Reading, decided
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Deciding, Labels

__all__ = ["Restoring"]

_CHANNELS: Final = 4
"""With fewer channels than this, interpolating all is quicker than looking for where it matters."""

_BLOCK_BYTES: Final = 8 << 20
_BLOCK_BYTES_ON_DEVICE: Final = 256 << 20
"""What is interpolated at a time, in every class; accelerators want much to do."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """Which voxels the target reads along one axis of what comes.

    Attributes:
        low: The lower neighbour of each target voxel within the field of view, in the target's order.
        high: The upper one; the same where the target voxel lies on it or at the border.
        share: How far it is from the lower to the upper one.
        before: Target voxels before the field of view.
    """

    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]
    share: npt.NDArray[np.float32]
    before: int

    @classmethod
    def of(cls, step: AxisStep) -> _Axis:
        before, _, places = step.inside()
        whole = places.round()
        if not len(places) or np.abs(places - whole).max() < TOLERANCE_VOXELS:
            places = whole
        low = np.floor(places).astype(np.int64)
        share = (places - low).astype(np.float32)
        high = np.where(share > 0, np.minimum(low + 1, step.source_size - 1), low)
        return cls(low, high, share, before)

    def read(self, start: int, stop: int, first: int) -> Reading:
        """Of the target voxels whose upper neighbour is among ``start`` to ``stop``: place, neighbours, share.

        Args:
            start: The first voxel that is finished.
            stop: The one after the last.
            first: The voxel that neighbours are counted from.
        """
        chosen = np.flatnonzero((self.high >= start) & (self.high < stop))
        if not len(chosen):
            return slice(0, 0), self.low[:0], self.low[:0], self.share[:0]
        piece = slice(int(chosen[0]), int(chosen[-1]) + 1)
        place = slice(piece.start + self.before, piece.stop + self.before)
        return place, self.low[piece] - first, self.high[piece] - first, self.share[piece]


@dataclass(slots=True)
class _Memory:
    """Room that is used again."""

    values: Any = None
    made_with: Arrays | None = None

    def room(self, channels: int, shape: Sequence[int], arrays: Arrays) -> Any:
        """``[channels, *shape]``, side by side; what was there is gone."""
        count = channels * prod(shape)
        if self.values is None or self.made_with is not arrays or self.values.shape[1] < count:
            self.values, self.made_with = arrays.empty(1, (count,)), arrays
        return self.values.reshape(-1)[:count].reshape(channels, *shape)


class Restoring:
    """Interpolates linearly to another grid, and hands on to a decision.

    Args:
        steps: How each axis of the target reads an axis of what comes.
        sink: Decides; its axes are those of what comes.
    """

    def __init__(self, steps: Sequence[AxisStep], sink: Deciding) -> None:
        ordered = sorted(steps, key=lambda step: step.source_axis)
        self._axes = [_Axis.of(step) for step in ordered]
        self._sink = sink
        self._joined: Any = None
        self._memories: list[_Memory] = [_Memory(), _Memory()]

    def take(self, finished: Finished, shelf: Shelf) -> None:
        """Interpolate what the finished voxels complete; faces wait on the shelf."""
        arrays = finished.arrays
        values = self._with_faces(finished, shelf)
        firsts = [max(0, side.start - 1) for side in finished.box]
        sides = zip(self._axes, finished.box, firsts, strict=True)
        readings = [axis.read(side.start, side.stop, first) for axis, side, first in sides]
        if not all(len(low) for _, low, _, _ in readings):
            return
        if isinstance(self._sink, Labels) and arrays.on_machine and len(values) >= _CHANNELS:
            box = tuple(place for place, *_ in readings)
            self._sink.put_labels(box, decided(arrays.plain(values), readings))
        else:
            self._interpolate(values, readings, arrays)

    def _interpolate(self, values: Any, readings: Sequence[Reading], arrays: Arrays) -> None:
        """Every class; few planes of the target at a time, for there may be many more than of the source."""
        place, low, high, share = readings[0]
        plane = 4 * len(values) * int(np.prod([len(indices) for _, indices, _, _ in readings[1:]]))
        count = max(1, (_BLOCK_BYTES if arrays.on_machine else _BLOCK_BYTES_ON_DEVICE) // max(1, plane))
        for start in range(0, len(low), count):
            stop = min(start + count, len(low))
            part = slice(place.start + start, place.start + stop)
            bottom, top = int(low[start:stop].min()), int(high[start:stop].max()) + 1
            piece = (part, low[start:stop] - bottom, high[start:stop] - bottom, share[start:stop])
            box = (part, *(other for other, *_ in readings[1:]))
            self._sink.put(box, _everywhere(values[:, bottom:top], [piece, *readings[1:]], arrays), arrays=arrays)

    def _with_faces(self, finished: Finished, shelf: Shelf) -> Any:
        """The averages with the voxel before them along each axis, and what later boxes need of them put aside."""
        index, box, arrays = finished.index, finished.box, finished.arrays
        lead = [min(1, side.start) for side in box]
        joined = self._room(finished, lead, shelf)
        arrays.divide(finished.sums, arrays.given(finished.totals), out=joined[_inner(lead, len(lead))])
        for axis in range(len(lead) - 1, 0, -1):
            if lead[axis]:
                _take_face(finished, axis, shelf, into=joined[_inner(lead, axis, at=0)])
        for axis in range(1, len(lead)):
            if index[axis] + 1 < len(finished.plan.starts[axis]):
                _put_face(joined[_inner(lead, axis, at=-1)], finished, axis=axis, shelf=shelf)
        self._joined = joined
        if box[0].stop == finished.plan.done(index)[0].stop and box[0].stop < finished.plan.shape[0]:
            _put_face(joined[:, -1], finished, axis=0, shelf=shelf)
        return joined

    def _room(self, finished: Finished, lead: Sequence[int], shelf: Shelf) -> Any:
        """Memory for the averages and the voxels before them; those before them along the first axis are there."""
        shape = [side.stop - side.start + more for side, more in zip(finished.box, lead, strict=True)]
        self._memories.reverse()  # what was there before is still read
        joined = self._memories[0].room(len(finished.sums), shape, finished.arrays)
        if lead[0] and finished.box[0].start > finished.plan.done(finished.index)[0].start:
            joined[:, 0] = self._joined[:, -1]
        elif lead[0]:
            _take_face(finished, 0, shelf, into=joined[:, 0])
        return joined


def _put_face(face: Any, finished: Finished, *, axis: int, shelf: Shelf) -> None:
    """Keep the last voxels of a box along an axis for the next one."""
    after = tuple(number + (place == axis) for place, number in enumerate(finished.index))
    key = ("face", axis, after, finished.box[0].start if axis else 0)
    shelf.new(key, tuple(face.shape))[...] = face
    shelf.rest(key, finished.plan.rank(after))


def _take_face(finished: Finished, axis: int, shelf: Shelf, *, into: Any) -> None:
    """The voxels before a box along an axis."""
    key = ("face", axis, finished.index, finished.box[0].start if axis else 0)
    into[...] = shelf.use(key)
    shelf.drop(key)


def _inner(lead: Sequence[int], axis: int, *, at: int | None = None) -> Any:
    """Where values lie behind their leading faces; with ``at`` one face of it, whole along the axes after it."""
    place: list[Any] = [slice(more, None) for more in lead]
    if at is not None:
        place[axis] = at
        place[axis + 1 :] = [slice(None)] * (len(lead) - axis - 1)
    return (slice(None), *place)


def _everywhere(values: Any, readings: Sequence[Reading], arrays: Arrays) -> Any:
    """``[C, *target]``: one axis after the other, those first along which there is least to come."""
    sizes = values.shape[1:]
    order = sorted(range(len(readings)), key=lambda axis: (len(readings[axis][1]) / sizes[axis], -axis))
    for axis in order:
        _, low, high, share = readings[axis]
        below = arrays.take(values, axis + 1, index=low)
        if share.any():
            above = arrays.take(values, axis + 1, index=high)
            above -= below
            above *= arrays.given(share.reshape([-1 if one == axis else 1 for one in range(len(readings))]))
            below += above
        values = below
    return values
