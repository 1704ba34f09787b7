"""Labels on another grid, without interpolating every class: most voxels are decided by few.

A voxel of the target lies between voxels of the source, its corners. Where these have one label, so has their average:
the average of vectors that are all largest in one channel is largest in that channel. Where they have several, the
channels of these are interpolated, and the second largest value of each corner: no other channel exceeds that. Only
where it is not below the largest of these channels, every channel is interpolated.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vesalia.imaging.label_loops import label_loops
from vesalia.inference.streaming.arrays import label_type, largest_channel

__all__ = ["Corners", "Reading", "border_voxels", "decided"]

_AT_A_TIME: Final = 1 << 14
"""Voxels of the target that are worked on at a time: what is known of them stays in a processor's caches."""
_VALUES_AT_A_TIME: Final = 1 << 16
"""The same where all channels of a voxel are."""
Reading = tuple[slice, npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Of the target along one axis: the place, each voxel's lower and upper neighbour, how far it is between them."""


@dataclass(frozen=True, slots=True)
class Corners:
    """Voxels of the source around some of the target.

    Attributes:
        places: For each corner, the last axis fastest: its number among the voxels of a channel.
        shares: For each axis: how far a voxel of the target is from the lower to the upper corners.
    """

    places: tuple[npt.NDArray[np.int64], ...]
    shares: tuple[npt.NDArray[np.float32], ...]

    @classmethod
    def of(cls, where: Sequence[npt.NDArray[np.intp]], *, readings: Sequence[Reading], shape: Sequence[int]) -> Corners:
        """The corners of some voxels of the target.

        Args:
            where: Their numbers along each axis.
            readings: What the target reads along each axis.
            shape: Voxels of the source along each axis.
        """
        places: list[npt.NDArray[np.int64]] = []
        for axis, (numbers, (_, low, high, _)) in enumerate(zip(where, readings, strict=True)):
            stride = prod(shape[axis + 1 :])
            pair = (low * stride)[numbers], (high * stride)[numbers]
            places = [before + one for before, one in product(places, pair)] if places else list(pair)
        shares = tuple(share[numbers] for numbers, (*_, share) in zip(where, readings, strict=True))
        return cls(tuple(places), shares)

    def average(self, values: npt.NDArray[Any], first: npt.NDArray[np.int64] | int = 0) -> npt.NDArray[Any]:
        """Interpolated linearly.

        Args:
            values: A row of voxels, or of the voxels of one channel after another.
            first: Where each voxel's channel begins.
        """
        return self._joined([values.take(place + first) for place in self.places])

    def average_all(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of ``[C, voxels]``, in every channel."""
        return self._joined([values.take(place, axis=1) for place in self.places])

    def _joined(self, found: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        for share in reversed(self.shares):
            found = [_between(low, high, share) for low, high in zip(found[::2], found[1::2], strict=True)]
        return found[0]

    def chosen(self, which: npt.NDArray[Any] | slice) -> Corners:
        """Those of some of the voxels."""
        return Corners(tuple(place[which] for place in self.places), tuple(share[which] for share in self.shares))


def _between(low: npt.NDArray[Any], high: npt.NDArray[Any], share: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    high -= low
    high *= share
    low += high
    return low


def border_voxels(
    labels: npt.NDArray[Any], readings: Sequence[Reading]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], tuple[npt.NDArray[np.intp], ...]]:
    """The lowest and the highest label around each voxel of the target, and where they are not the same."""
    lowest = highest = labels
    for axis, (_, low, high, _) in enumerate(readings):
        lowest = np.minimum(lowest.take(low, axis), lowest.take(high, axis))
        highest = np.maximum(highest.take(low, axis), highest.take(high, axis))
    return lowest, highest, np.nonzero(lowest != highest)


def decided(values: npt.NDArray[np.float32], readings: Sequence[Reading]) -> npt.NDArray[Any]:
    """The largest channel of the average of each voxel of the target; the first one of equals.

    Args:
        values: ``[C, *source]``, two channels or more; as they were, afterwards.
        readings: What the target reads along each axis.
    """
    flat, shape = values.reshape(len(values), -1), values.shape[1:]
    dtype = label_type(len(values))
    loops = label_loops(dtype, work=0)  # without them, the steps count what there is to do
    if loops is not None:
        labels = np.empty(flat.shape[1], dtype)
        second = loops.largest(flat, labels)
        return loops.decided(flat, labels, second=second, shape=shape, axes=[reading[1:] for reading in readings])
    return _in_steps(flat, readings, shape)


def _in_steps(flat: npt.NDArray[np.float32], readings: Sequence[Reading], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The same by NumPy, a step for many voxels at a time."""
    labels = largest_channel(flat)
    found, highest, where = border_voxels(labels.reshape(shape), readings)
    source = _Source(flat, labels, _second(flat, labels)) if len(where[0]) else None
    for piece in _pieces(where):
        if source is not None:
            found[piece] = source.decide(
                Corners.of(piece, readings=readings, shape=shape), found[piece], highest[piece]
            )
    return found


def _second(values: npt.NDArray[np.float32], labels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The largest value of ``[C, voxels]`` beside that of each voxel's label."""
    place: Any = (labels, np.arange(len(labels)))
    largest = values[place]
    values[place] = -np.inf
    second: npt.NDArray[np.float32] = values.max(axis=0)
    values[place] = largest
    return second


@dataclass(frozen=True, slots=True)
class _Source:
    """What is known of the voxels of the source.

    Attributes:
        values: ``[C, voxels]``.
        labels: ``[voxels]``: the largest channel.
        second: ``[voxels]``: the largest value of the others.
    """

    values: npt.NDArray[np.float32]
    labels: npt.NDArray[Any]
    second: npt.NDArray[np.float32]

    def decide(self, corners: Corners, lowest: npt.NDArray[Any], highest: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The label of each voxel of the target, whose corners have labels from a lowest to a highest one."""
        lower, higher = (self.average(corners, label) for label in (lowest, highest))
        label, best = np.where(higher > lower, highest, lowest), np.maximum(lower, higher)
        around = np.stack([self.labels.take(place) for place in corners.places])
        more = np.flatnonzero(((around != lowest) & (around != highest)).any(axis=0))
        if len(more):
            label[more], best[more] = self.among(corners.chosen(more), around[:, more], label[more], best[more])
        unsure = np.flatnonzero(corners.average(self.second) >= best)
        if len(unsure):
            label[unsure] = self.largest(corners.chosen(unsure))
        return label

    def among(
        self, corners: Corners, around: npt.NDArray[Any], label: npt.NDArray[Any], best: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """The largest channel and its average among all labels of the corners.

        Args:
            corners: Where the voxels lie.
            around: ``[corners, voxels]``: the labels of the corners.
            label: The larger one of the lowest and the highest of these.
            best: The average of that channel.
        """
        around.sort(axis=0)
        for before, one in pairwise(around[:-1]):
            new = np.flatnonzero((one != before) & (one != around[-1]))
            average, other = self.average(corners.chosen(new), one[new]), one[new]
            larger = (average > best[new]) | ((average == best[new]) & (other < label[new]))
            label[new[larger]], best[new[larger]] = other[larger], average[larger]
        return label, best

    def average(self, corners: Corners, label: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of one channel for each voxel of the target."""
        return corners.average(self.values.reshape(-1), label.astype(np.int64) * self.values.shape[1])

    def largest(self, corners: Corners) -> npt.NDArray[Any]:
        """The label of each voxel of the target, with every channel interpolated."""
        count = max(1, _VALUES_AT_A_TIME // len(self.values))
        found = []
        for start in range(0, len(corners.shares[0]), count):
            some = corners.chosen(slice(start, start + count))
            found.append(largest_channel(some.average_all(self.values)))
        return np.concatenate(found)


def _pieces(where: Sequence[npt.NDArray[np.intp]]) -> Iterator[tuple[npt.NDArray[np.intp], ...]]:
    """Some voxels at a time."""
    for start in range(0, len(where[0]), _AT_A_TIME):
        yield tuple(numbers[start : start + _AT_A_TIME] for numbers in where)
