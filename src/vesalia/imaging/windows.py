"""Where a network's windows lie on an image, and which voxels are done once a window is: plans, without torch.

A voxel is covered by the windows ``first`` to ``last`` along each axis, and windows are walked lexicographically, in
any order of the axes. So it is begun by the window of all firsts and done with that of all lasts, whatever the order;
voxels that share both make up a *cell*. What a window finishes is one box, from its own start to the next one's.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise, product
from math import prod
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Box", "Cell", "Mode", "Segment", "WindowPlan", "cut_window", "importance", "window_starts", "within"]

Box = tuple[slice, ...]
Mode = Literal["constant", "gaussian"]

_SIGMA: Final = 0.125
"""Width of the Gaussian as a share of the window's."""
_LEAST_WEIGHT: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Segment:
    """Voxels of an axis that are covered by the same windows.

    Attributes:
        start: The first voxel.
        stop: The one after the last.
        first: The first window that covers them.
        last: The last one; those in between do, too.
    """

    start: int
    stop: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Cell:
    """Voxels that are covered by the same windows.

    Attributes:
        key: The segment along each axis.
        segments: The segments themselves.
        begins: Whether the window at hand is the first that covers them.
        ends: Whether it is the last.
    """

    key: tuple[int, ...]
    segments: tuple[Segment, ...]
    begins: bool
    ends: bool

    @property
    def box(self) -> Box:
        """Its place in the image."""
        return tuple(slice(segment.start, segment.stop) for segment in self.segments)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return tuple(segment.stop - segment.start for segment in self.segments)

    @property
    def windows(self) -> int:
        """How many windows cover it."""
        return prod(segment.last - segment.first + 1 for segment in self.segments)


def window_starts(size: int, window: int, *, overlap: float) -> tuple[int, ...]:
    """First voxels of the windows along an axis; an axis shorter than the window is padded on both sides.

    Windows follow each other at ``window * (1 - overlap)`` voxels, rounded down; the last one ends with the image.
    """
    if size <= window:
        return (-((window - size) // 2),)
    step = max(1, int(window * (1 - overlap)))
    return (*range(0, size - window, step), size - window)


def importance(window: Sequence[int], mode: Mode) -> npt.NDArray[np.float32]:
    """The weight of each voxel of a window in the average.

    Args:
        window: Voxels along each axis.
        mode: All the same, or a Gaussian around the centre that does not fall below a thousandth.
    """
    if mode == "constant":
        return np.ones(tuple(window), dtype=np.float32)
    weights = np.ones((), dtype=np.float32)
    for size in window:
        places = np.arange(size, dtype=np.float32) - (size - 1) / 2
        weights = weights[..., None] * np.exp(-(places**2) / (2 * (_SIGMA * size) ** 2)).astype(np.float32)
    return np.maximum(weights, max(float(weights.min()), _LEAST_WEIGHT)).astype(np.float32)


@dataclass(frozen=True)
class WindowPlan:
    """The windows of an image.

    Attributes:
        shape: Voxels of the image along each axis.
        window: Voxels of a window.
        starts: First voxels of the windows along each axis; below 0 where the image is padded.
        order: The axes from the one that is walked slowest to the one that is walked fastest.
    """

    shape: tuple[int, ...]
    window: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, shape: Sequence[int], window: Sequence[int], *, overlap: float, lean: bool = True) -> WindowPlan:
        """The plan for an image.

        Args:
            shape: Voxels of the image along each axis.
            window: Voxels of a window along each axis.
            overlap: Share of a window that the next one covers again, from 0 to below 1.
            lean: Walk such that few voxels are begun and not done at any time; otherwise the last axis goes fastest.
        """
        pairs = list(zip(shape, window, strict=True))
        starts = tuple(window_starts(size, edge, overlap=overlap) for size, edge in pairs)
        # A face across the slowest axis stays open, as thick as windows overlap: the smallest face is the best one.
        order = sorted(range(len(pairs)), key=lambda axis: -shape[axis]) if lean else range(len(pairs))
        return cls(tuple(shape), tuple(window), starts, tuple(order))

    @property
    def count(self) -> int:
        """How many windows there are."""
        return prod(len(starts) for starts in self.starts)

    @cached_property
    def segments(self) -> tuple[tuple[Segment, ...], ...]:
        """The segments of each axis."""
        axes = zip(self.starts, self.window, self.shape, strict=True)
        return tuple(_segments(starts, window, size) for starts, window, size in axes)

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """The windows in the order in which they are walked, each by its number along each axis."""
        for walked in product(*(range(len(self.starts[axis])) for axis in self.order)):
            yield tuple(walked[self.order.index(axis)] for axis in range(len(self.shape)))

    def rank(self, index: Sequence[int]) -> int:
        """The place of a window in that order."""
        place = 0
        for axis in self.order:
            place = place * len(self.starts[axis]) + index[axis]
        return place

    def start(self, index: Sequence[int]) -> tuple[int, ...]:
        """The first voxel of a window; below 0 where the image is padded."""
        return tuple(starts[number] for starts, number in zip(self.starts, index, strict=True))

    def done(self, index: Sequence[int]) -> Box:
        """The box that is finished with a window: no later one covers it, and none before it finished it."""
        box = []
        for starts, number, size in zip(self.starts, index, self.shape, strict=True):
            box.append(slice(max(0, starts[number]), starts[number + 1] if number + 1 < len(starts) else size))
        return tuple(box)

    def seen(self, index: Sequence[int]) -> Box:
        """The part of the image that a window covers."""
        sides = zip(self.start(index), self.window, self.shape, strict=True)
        return tuple(slice(max(0, first), min(first + edge, size)) for first, edge, size in sides)

    def cells(self, index: Sequence[int]) -> Iterator[Cell]:
        """The cells that a window covers, the last axis fastest."""
        axes = [
            [(place, one) for place, one in enumerate(segments) if one.first <= number <= one.last]
            for segments, number in zip(self.segments, index, strict=True)
        ]
        for chosen in product(*axes):
            segments = tuple(one for _, one in chosen)
            begins = all(one.first == number for one, number in zip(segments, index, strict=True))
            ends = all(one.last == number for one, number in zip(segments, index, strict=True))
            yield Cell(tuple(place for place, _ in chosen), segments, begins, ends)

    def next_rank(self, cell: Cell, index: Sequence[int]) -> int:
        """The place in the order of the next window after ``index`` that covers a cell; it must not be the last."""
        after = list(index)
        for axis in reversed(self.order):
            if after[axis] < cell.segments[axis].last:
                after[axis] += 1
                break
            after[axis] = cell.segments[axis].first
        return self.rank(after)

    @property
    def open_voxels(self) -> int:
        """The most voxels that are begun and not done at any time: those whose sums must be kept."""
        return _waiting(self)[0]

    @property
    def kept_voxels(self) -> int:
        """The same, each counted for every window that has covered it: those whose features must be kept."""
        return _waiting(self)[1]

    @cached_property
    def face_voxels(self) -> int:
        """The most voxels of planes between windows at any time: the last plane of each box that is done, per axis.

        A plane goes when the window behind it is done. Across the slowest axis that is a whole plane of the image, of
        the next one a row of windows, of the fastest one a window's.
        """
        total = 0
        for place, axis in enumerate(self.order):
            if len(self.starts[axis]) > 1:
                slower, faster = self.order[:place], self.order[place + 1 :]
                total += prod(self.thickest(one) for one in slower) * prod(self.shape[one] for one in faster)
        return total

    def thickest(self, axis: int) -> int:
        """The most voxels along an axis that a window finishes."""
        return max(stop - max(0, start) for start, stop in pairwise((*self.starts[axis], self.shape[axis])))


@lru_cache(maxsize=1024)
def _waiting(plan: WindowPlan) -> tuple[int, int]:
    """The most voxels that wait at any time, counted once, and for each window; a walk that may take seconds."""
    most_open = is_open = most_kept = kept = 0
    for index in plan:
        cells = [(cell.begins, cell.ends, cell.windows, prod(cell.shape)) for cell in plan.cells(index)]
        is_open += sum(voxels for begins, ends, _, voxels in cells if begins and not ends)
        kept += sum(voxels for _, ends, _, voxels in cells if not ends)
        most_open, most_kept = max(most_open, is_open), max(most_kept, kept)
        is_open -= sum(voxels for begins, ends, _, voxels in cells if ends and not begins)
        kept -= sum((windows - 1) * voxels for _, ends, windows, voxels in cells if ends)
    return most_open, most_kept


def _segments(starts: Sequence[int], window: int, size: int) -> tuple[Segment, ...]:
    ends = [start + window for start in starts]
    cuts = sorted({0, size, *(cut for cut in (*starts, *ends) if 0 < cut < size)})
    segments = []
    for start, stop in pairwise(cuts):
        covering = [number for number, first in enumerate(starts) if first <= start < first + window]
        segments.append(Segment(start, stop, covering[0], covering[-1]))
    return tuple(segments)


def within(place: Box, start: Sequence[int]) -> Box:
    """A place as it is counted from another start."""
    return tuple(slice(side.start - first, side.stop - first) for side, first in zip(place, start, strict=True))


def cut_window(image: Any, start: Sequence[int], *, window: Sequence[int]) -> tuple[Any, tuple[tuple[int, int], ...]]:
    """What a window sees of ``[..., *spatial]``, as a view, and how many voxels of padding it needs on both sides.

    Args:
        image: An array or a tensor.
        start: The window's first voxel, below 0 where it begins outside.
        window: Voxels along each axis.
    """
    sizes = image.shape[-len(start) :]
    box, padding = [], []
    for first, edge, size in zip(start, window, sizes, strict=True):
        box.append(slice(max(0, first), min(first + edge, size)))
        padding.append((max(0, -first), max(0, first + edge - size)))
    place: Any = (..., *box)
    return image[place], tuple(padding)
