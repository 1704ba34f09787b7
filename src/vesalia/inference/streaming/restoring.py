"""Averages to another grid on the way to their decision: interpolated as they are finished, a slab at a time.

A voxel of the target reads two neighbours along each axis. It is made with the window that finishes the upper one; of
the lower one, a face of the box before is kept. What lies between voxels of one and the same label gets it without
interpolation: the average of vectors that are all largest in one channel is largest in that channel.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vesalia.imaging.axis_steps import TOLERANCE_VOXELS, AxisStep
from vesalia.inference.streaming.arrays import Arrays
from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.sinks import Deciding, Labels, averaged

__all__ = ["Restoring"]

_FEW: Final = 0.25
"""The share of voxels between different labels up to which they are interpolated one by one."""
_CHANNELS: Final = 4
"""With fewer channels than this, interpolating all is quicker than looking for where it matters."""
_BLOCK_BYTES: Final = 32 << 20

_Reading = tuple[slice, npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]


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

    def read(self, start: int, stop: int, first: int) -> _Reading:
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
        self._faces: dict[tuple[int, tuple[int, ...], int], Any] = {}
        self._last: Any = None

    @property
    def waiting(self) -> int:
        """Faces that are kept for boxes to come."""
        return len(self._faces)

    def take(self, finished: Finished, arrays: Arrays) -> None:
        """Interpolate what the finished voxels complete."""
        values = self._with_faces(finished, averaged(finished, arrays), arrays)
        firsts = [max(0, side.start - 1) for side in finished.box]
        sides = zip(self._axes, finished.box, firsts, strict=True)
        readings = [axis.read(side.start, side.stop, first) for axis, side, first in sides]
        if not all(len(low) for _, low, _, _ in readings):
            return
        # Few planes of the target at a time, for there may be many more than of the source.
        place, low, high, share = readings[0]
        plane = 4 * len(values) * int(np.prod([len(indices) for _, indices, _, _ in readings[1:]]))
        count = max(1, _BLOCK_BYTES // max(1, plane))
        for start in range(0, len(low), count):
            stop = min(start + count, len(low))
            part = slice(place.start + start, place.start + stop)
            bottom, top = int(low[start:stop].min()), int(high[start:stop].max()) + 1
            piece = (part, low[start:stop] - bottom, high[start:stop] - bottom, share[start:stop])
            self._interpolate(values[:, bottom:top], [piece, *readings[1:]], arrays)

    def _interpolate(self, values: Any, readings: Sequence[_Reading], arrays: Arrays) -> None:
        box = tuple(place for place, *_ in readings)
        if not isinstance(self._sink, Labels) or len(values) < _CHANNELS:
            self._sink.put(box, _everywhere(values, readings, arrays), arrays=arrays)
            return
        labels = arrays.plain(arrays.largest(values))
        lowest = highest = labels
        for axis, (_, low, high, _) in enumerate(readings):
            lowest = np.minimum(lowest.take(low, axis), lowest.take(high, axis))
            highest = np.maximum(highest.take(low, axis), highest.take(high, axis))
        between = np.nonzero(lowest != highest)
        if len(between[0]) > _FEW * lowest.size:
            self._sink.put(box, _everywhere(values, readings, arrays), arrays=arrays)
            return
        if len(between[0]):
            lowest[between] = _at(values, readings, between, arrays)
        self._sink.put_labels(box, lowest)

    def _with_faces(self, finished: Finished, values: Any, arrays: Arrays) -> Any:
        """The values with the voxel before them along each axis, and what later boxes need of them put aside."""
        index, box = finished.index, finished.box
        lead = [min(1, side.start) for side in box]
        joined = arrays.empty(
            len(values), [side.stop - side.start + more for side, more in zip(box, lead, strict=True)]
        )
        joined[_inner(lead, len(lead))] = values
        for axis in reversed(range(len(lead))):
            if lead[axis]:
                joined[_inner(lead, axis, at=0)] = self._face(axis, finished)
        for axis in range(1, len(lead)):
            if index[axis] + 1 < len(finished.plan.starts[axis]):
                face = joined[_inner(lead, axis, at=-1)]
                self._faces[axis, index, box[0].start] = _copied(face, arrays)
        self._last = joined[:, -1]
        if box[0].stop == finished.plan.done(index)[0].stop and box[0].stop < finished.plan.shape[0]:
            self._faces[0, index, 0] = _copied(self._last, arrays)
        return joined

    def _face(self, axis: int, finished: Finished) -> Any:
        """The voxels before a box along an axis."""
        start = finished.box[0].start
        if axis == 0 and start > finished.plan.done(finished.index)[0].start:
            return self._last
        before = tuple(number - (place == axis) for place, number in enumerate(finished.index))
        return self._faces.pop((axis, before, start if axis else 0))


def _inner(lead: Sequence[int], axis: int, *, at: int | None = None) -> Any:
    """Where values lie behind their leading faces; with ``at`` one face of it, whole along the axes after it."""
    place: list[Any] = [slice(more, None) for more in lead]
    if at is not None:
        place[axis] = at
        place[axis + 1 :] = [slice(None)] * (len(lead) - axis - 1)
    return (slice(None), *place)


def _copied(face: Any, arrays: Arrays) -> Any:
    kept = arrays.empty(len(face), tuple(face.shape[1:]))
    kept[...] = face
    return kept


def _everywhere(values: Any, readings: Sequence[_Reading], arrays: Arrays) -> Any:
    """``[C, *target]``: one axis after the other."""
    for axis, (_, low, high, share) in enumerate(readings, start=1):
        below = arrays.take(values, axis, index=low)
        if not share.any():
            values = below
            continue
        above = arrays.take(values, axis, index=high)
        above -= below
        above *= arrays.given(share.reshape([-1 if one == axis else 1 for one in range(len(readings) + 1)]))
        below += above
        values = below
    return values


def _at(
    values: Any, readings: Sequence[_Reading], where: Sequence[npt.NDArray[np.intp]], arrays: Arrays
) -> npt.NDArray[Any]:
    """The labels of single target voxels: the average of their corners, decided."""
    flat_values, shape = values.reshape(len(values), -1), tuple(values.shape[1:])
    count = max(1, _BLOCK_BYTES // (4 * len(values)))
    parts = []
    for start in range(0, len(where[0]), count):
        chosen = [indices[start : start + count] for indices in where]
        total: Any = None
        for corner in product((0, 1), repeat=len(readings)):
            flat, weight = np.zeros(len(chosen[0]), dtype=np.int64), np.ones(len(chosen[0]), dtype=np.float32)
            for side, size, indices, (_, low, high, share) in zip(corner, shape, chosen, readings, strict=True):
                flat = flat * size + (high if side else low)[indices]
                weight *= share[indices] if side else 1 - share[indices]
            part = arrays.take(flat_values, 1, index=flat)
            part *= arrays.given(weight)
            total = part if total is None else total.__iadd__(part)
        parts.append(arrays.plain(arrays.largest(total)))
    return np.concatenate(parts)
