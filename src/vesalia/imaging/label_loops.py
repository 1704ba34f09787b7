"""The largest of many channels, and that of their averages between voxels, as loops that Numba compiles (``fast``).

NumPy goes over all voxels once for each small step. Here a voxel is done in one go, some of them in each thread. Sums
are added in the same order, so the labels are the same whether the loops are used or not (but for values that are no
numbers); they are compiled in the background once they are asked for.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.imaging.affine_loops import compiled, is_compiled
from vesalia.imaging.background import InBackground
from vesalia.runtime.machine import usable_cores

__all__ = ["Axis", "LabelLoops", "label_loops", "loops_bytes", "make_loops"]

Axis = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]
"""Of the target along one axis: each voxel's lower and upper neighbour, and how far it is between them."""
Compile = Callable[[Callable[..., Any]], Callable[..., Any]]

_BLOCK = 2048
"""Voxels that are compared at a time: what is known of them stays in a processor's innermost cache."""
_WORTH_COMPILING = 200_000_000
"""Values that NumPy looks at in about a second."""
_COMPILING_BYTES = 180_000_000
"""Measured."""
_LEAST_PER_THREAD = 1 << 16
"""Voxels for which another thread is worth its while."""


@dataclass(frozen=True, slots=True)
class LabelLoops:
    """The loops.

    Attributes:
        two_largest: Finds the largest channel, and the second largest value, of each voxel.
        between: Finds the largest channel of the average of each voxel of another grid.
    """

    two_largest: Callable[..., Any]
    between: Callable[..., Any]

    def largest(self, values: npt.NDArray[np.float32], labels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Write the first largest channel of ``[C, voxels]`` to ``labels``; gives the second largest value of each."""
        second = np.empty(len(labels), np.float32)
        _in_parts(partial(self.two_largest, values, labels, second), len(labels), voxels=len(labels))
        return second

    def decided(
        self,
        values: npt.NDArray[np.float32],
        labels: npt.NDArray[Any],
        *,
        second: npt.NDArray[np.float32],
        shape: tuple[int, ...],
        axes: list[Axis],
    ) -> npt.NDArray[Any]:
        """The first largest channel of the linear average of each voxel of the target.

        Args:
            values: ``[C, voxels]`` of the source.
            labels: ``[voxels]``: the largest channel.
            second: ``[voxels]``: the largest value of the others.
            shape: Voxels of the source along its axes, two or three.
            axes: What the target reads along each.
        """
        out = np.empty([len(low) for low, _, _ in axes], labels.dtype)
        flat = len(axes) == len("HW")
        still = (np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(1, np.float32))
        target = out[None] if flat else out
        plane, three = shape[-2:], tuple([still, *axes] if flat else axes)
        work = partial(self.between, values, (labels, second), plane, three, target)
        _in_parts(work, target.shape[0] * target.shape[1], voxels=out.size)
        return out


@dataclass(slots=True)
class _Work:
    """What was done without the loops, in values."""

    done: int = 0


_DONE = _Work()
_LOOPS: dict[np.dtype[Any], InBackground[LabelLoops]] = {}


def label_loops(labels: np.dtype[Any], *, work: int) -> LabelLoops | None:
    """The loops for labels of a type; None while there are none.

    They are compiled in the background, which takes a second or two, once there was that much to do.

    Args:
        labels: Type of the labels.
        work: Values that are to be looked at now.
    """
    _DONE.done += work
    if _DONE.done < _WORTH_COMPILING or not is_compiled():
        return None
    found = _LOOPS.get(labels)
    if found is None:
        found = _LOOPS.setdefault(labels, InBackground(partial(_compiled, labels)))
    return found.get()


def loops_bytes() -> int:
    """What the loops will take of the memory, about: Numba, and what it needs to compile; 0 once they are there."""
    return _COMPILING_BYTES if is_compiled() and not _LOOPS else 0


def _compiled(labels: np.dtype[Any]) -> LabelLoops:
    loops = make_loops(compiled)
    tiny, found = np.zeros((2, 8), np.float32), np.zeros(8, labels)
    axis = (np.zeros(1, np.int64), np.ones(1, np.int64), np.zeros(1, np.float32))
    loops.decided(tiny, found, second=loops.largest(tiny, found), shape=(2, 2, 2), axes=[axis] * 3)
    return loops


def make_loops(compile_loop: Compile) -> LabelLoops:
    """The loops, each compiled by ``compile_loop``."""
    average = compile_loop(_average)
    among = compile_loop(_among(average, compile_loop(_of_all(average))))
    return LabelLoops(compile_loop(_two_largest), compile_loop(_between(among)))


def _between(among: Callable[..., Any]) -> Callable[..., None]:
    def between(values: Any, known: Any, plane: Any, axes: Any, out: Any, start: int, stop: int) -> None:  # noqa: PLR0917 - compiled as one piece
        """Decide rows of the target; where all corners of a voxel have one label, so has the voxel."""
        (low_z, high_z, part_z), (low_y, high_y, part_y), (low_x, high_x, part_x) = axes
        labels, columns, corners = known[0], out.shape[1], np.empty(8, np.int64)
        for row in range(start, stop):
            z, y = row // columns, row % columns
            lower, upper = low_z[z] * plane[0], high_z[z] * plane[0]
            rows = (lower + low_y[y], lower + high_y[y], upper + low_y[y], upper + high_y[y])
            for x in range(out.shape[2]):
                label, same = labels[rows[0] * plane[1] + low_x[x]], True
                for place in range(4):
                    corners[2 * place] = rows[place] * plane[1] + low_x[x]
                    corners[2 * place + 1] = rows[place] * plane[1] + high_x[x]
                    same &= (labels[corners[2 * place]] == label) & (labels[corners[2 * place + 1]] == label)
                out[z, y, x] = label if same else among(values, known, corners, (part_z[z], part_y[y], part_x[x]))

    return between


def _among(average: Callable[..., Any], of_all: Callable[..., Any]) -> Callable[..., Any]:
    def among(values: Any, known: Any, corners: Any, parts: Any) -> Any:
        """The label of a voxel whose corners have several: one of theirs, where none else can be larger."""
        labels, second = known
        label = labels[corners[0]]
        best = average(values[label], corners, parts)
        for place in range(1, 8):
            candidate, new = labels[corners[place]], True
            for before in range(place):
                new &= labels[corners[before]] != candidate
            if new:
                found = average(values[candidate], corners, parts)
                if found > best or (found == best and candidate < label):
                    label, best = candidate, found
        return of_all(values, corners, parts) if average(second, corners, parts) >= best else int(label)

    return among


def _of_all(average: Callable[..., Any]) -> Callable[..., Any]:
    def of_all(values: Any, corners: Any, parts: Any) -> Any:
        """The first largest channel of the averages."""
        label, best = 0, average(values[0], corners, parts)
        for channel in range(1, len(values)):
            found = average(values[channel], corners, parts)
            if found > best:
                label, best = channel, found
        return label

    return of_all


def _average(values: Any, corners: Any, parts: Any) -> Any:
    """Linear between eight corners, the last axis first."""
    part_z, part_y, part_x = parts
    a, b, c, d = values[corners[0]], values[corners[2]], values[corners[4]], values[corners[6]]
    a += (values[corners[1]] - a) * part_x
    b += (values[corners[3]] - b) * part_x
    c += (values[corners[5]] - c) * part_x
    d += (values[corners[7]] - d) * part_x
    a += (b - a) * part_y
    c += (d - c) * part_y
    return a + (c - a) * part_z


def _two_largest(values: Any, labels: Any, second: Any, start: int, stop: int) -> None:
    """The largest channel and the second largest value, some voxels at a time, one channel after the other."""
    best, index = np.empty(_BLOCK, np.float32), np.empty(_BLOCK, np.int32)
    for first in range(start, stop, _BLOCK):
        count = min(_BLOCK, stop - first)
        others = second[first : first + count]
        for place in range(count):
            best[place], index[place], others[place] = values[0, first + place], 0, -np.inf
        for channel in range(1, values.shape[0]):
            row = values[channel, first : first + count]
            for place in range(count):
                value, largest = row[place], best[place]
                lower = min(value, largest)
                others[place] = max(others[place], lower)
                index[place] = channel if value > largest else index[place]
                best[place] = max(largest, value)
        for place in range(count):
            labels[first + place] = index[place]


def _in_parts(work: Callable[[int, int], object], count: int, *, voxels: int) -> None:
    """Do ``work`` from a start to a stop, in several threads where there is much to do; they end with it."""
    threads = max(1, min(_cores(), voxels // _LEAST_PER_THREAD, count))
    cuts = [count * part // threads for part in range(threads + 1)]
    if threads == 1:
        work(0, count)
        return
    with ThreadPoolExecutor(threads - 1, thread_name_prefix="vesalia-labels") as pool:
        running = [pool.submit(work, cuts[part], cuts[part + 1]) for part in range(1, threads)]
        work(cuts[0], cuts[1])
    for part in running:
        part.result()


@lru_cache(maxsize=1)
def _cores() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "")  # what processes that share a machine are told
    return min(usable_cores(), int(given)) if given.isdecimal() and int(given) else usable_cores()
