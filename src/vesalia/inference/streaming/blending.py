"""Windows in, finished voxels out: what later windows still cover is kept, and nothing else."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, product
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from vesalia.imaging.windows import Box, Cell, Mode, Segment, WindowPlan, importance, within
from vesalia.inference.streaming.arrays import Arrays
from vesalia.inference.streaming.shelf import Shelf

__all__ = ["SLAB_BYTES", "Blender", "Finished", "pieces", "slabs"]

SLAB_BYTES: Final = 8 << 20
"""What of a window's output is worked on at a time: little enough to stay in a processor's caches."""


@dataclass(frozen=True)
class Finished:
    """Voxels that no later window covers.

    Attributes:
        index: The window that finished them.
        box: Their place in the image: the window's finished box, or a slab of it along the first axis.
        sums: ``[C, *box]`` weighted sums over the windows.
        arrays: What the sums are made with.
        plan: The windows.
        weights: A weight for each voxel of a window, or None where all are 1.
    """

    index: tuple[int, ...]
    box: Box
    sums: Any
    arrays: Arrays
    plan: WindowPlan
    weights: npt.NDArray[np.float32] | None

    @cached_property
    def totals(self) -> npt.NDArray[np.float32]:
        """``[*box]`` sums of the weights, by which the sums are an average."""
        total = np.zeros([side.stop - side.start for side in self.box], dtype=np.float32)
        axes = [
            [number for number, start in enumerate(starts) if start < side.stop and start + edge > side.start]
            for starts, edge, side in zip(self.plan.starts, self.plan.window, self.box, strict=True)
        ]
        for index in product(*axes):
            start = self.plan.start(index)
            shared = tuple(
                slice(max(first, side.start), min(first + edge, side.stop))
                for first, edge, side in zip(start, self.plan.window, self.box, strict=True)
            )
            inside = within(shared, [side.start for side in self.box])
            total[inside] += 1 if self.weights is None else self.weights[within(shared, start)]
        return total


def slabs(
    plan: WindowPlan, index: Sequence[int], *, channels: int, slab_bytes: int = SLAB_BYTES
) -> Iterator[tuple[int, int]]:
    """First and last + 1 voxel along the image's first axis of the pieces in which a window is worked off."""
    plane = 4 * channels * prod(plan.window[1:])
    for segment in plan.segments[0]:
        if segment.first <= index[0] <= segment.last:
            yield from pieces(segment, plane_bytes=plane, slab_bytes=slab_bytes)


def pieces(segment: Segment, *, plane_bytes: int, slab_bytes: int) -> Iterator[tuple[int, int]]:
    """First and last + 1 voxel of pieces of a segment, about as thick as each other, of as many planes as go in."""
    length, thickness = segment.stop - segment.start, max(1, slab_bytes // plane_bytes)
    count = -(-length // thickness)
    return pairwise(segment.start + length * piece // count for piece in range(count + 1))


class Blender:
    """Sums what windows say of each voxel.

    Args:
        plan: The windows; they must come in its order, each in slabs, see :func:`slabs`.
        mode: The weight of a window's voxels.
        channels: Channels of what windows say.
        shelf: Keeps sums that are not finished.
    """

    def __init__(self, plan: WindowPlan, *, mode: Mode, channels: int, shelf: Shelf) -> None:
        self.plan = plan
        self.channels = channels
        self.shelf = shelf
        self._memory: Any = None
        self._made_with: Arrays | None = None
        self.weights = None if mode == "constant" else importance(plan.window, mode)

    @property
    def arrays(self) -> Arrays:
        """What the sums are made with."""
        return self.shelf.arrays

    def add(self, index: tuple[int, ...], slab: tuple[int, int], *, values: Any) -> Finished | None:
        """Add a slab of a window.

        Args:
            index: The window.
            slab: The slab's first and last + 1 voxel along the image's first axis.
            values: ``[C, *spatial]`` float32 of the slab, weighted, what lies outside the image left out.

        Returns:
            What is finished with it, if anything is; its sums are gone with the next slab.
        """
        cells = [cell for cell in self.plan.cells(index) if _holds(cell, slab)]
        start = (slab[0], *(max(0, first) for first in self.plan.start(index)[1:]))
        # Memory first: where it is not there, nothing has been added yet.
        sums = {cell.key: self._sums(cell, slab) for cell in cells if cell.windows > 1}
        finished = self._room(index, slab) if any(cell.ends for cell in cells) else None
        out: Any = finished and _Placed(finished.sums, finished.box)
        for cell in cells:
            place = (slice(slab[0], slab[1]), *cell.box[1:])
            part = values[_in_all(place, start)]
            if cell.windows == 1:
                out.at(place)[...] = part
                continue
            kept = sums[cell.key]
            if cell.begins:
                kept[...] = part
            elif cell.ends:
                self.arrays.add(kept, part, out=out.at(place))
            else:
                kept += part
        self._put_back([cell for cell in cells if cell.windows > 1], index, slab)
        return finished

    def _sums(self, cell: Cell, slab: tuple[int, int]) -> Any:
        key = (cell.key, slab[0])
        shape = (self.channels, slab[1] - slab[0], *cell.shape[1:])
        return self.shelf.new(key, shape) if cell.begins else self.shelf.use(key)

    def _put_back(self, cells: Sequence[Cell], index: tuple[int, ...], slab: tuple[int, int]) -> None:
        for cell in cells:
            if cell.ends:
                self.shelf.drop((cell.key, slab[0]))
            else:
                self.shelf.rest((cell.key, slab[0]), self.plan.next_rank(cell, index))

    def _room(self, index: tuple[int, ...], slab: tuple[int, int]) -> Finished:
        box = (slice(*slab), *self.plan.done(index)[1:])
        shape = [side.stop - side.start for side in box]
        if self._memory is None or self._memory.shape[1] < prod(shape) or self._made_with is not self.arrays:
            self._memory, self._made_with = self.arrays.empty(self.channels, (prod(shape),)), self.arrays
        sums = self._memory.reshape(-1)[: self.channels * prod(shape)].reshape(self.channels, *shape)
        return Finished(index, box, sums, self.arrays, self.plan, self.weights)


@dataclass(frozen=True, slots=True)
class _Placed:
    """``[C, *box]`` values of a box of the image."""

    values: Any
    box: Box

    def at(self, place: Box) -> Any:
        """The values at a place of the image, as a view."""
        return self.values[_in_all(place, [side.start for side in self.box])]


def _holds(cell: Cell, slab: tuple[int, int]) -> bool:
    return cell.segments[0].start <= slab[0] < cell.segments[0].stop


def _in_all(place: Box, start: Sequence[int]) -> Any:
    return (slice(None), *within(place, start))
