"""Copying boxes of voxels, turned round and scaled, as loops that Numba compiles (the extra ``fast``).

NumPy does the same with views, but reads a row backwards one voxel at a time, and converts whole numbers by way of a
buffer. Here both are done as many voxels at a time as the processor can. The numbers are the same to the bit, so that
it does not matter from when on a loop is used: it is compiled in the background once it is asked for.

Compiled code is kept in memory only: Numba's index of compiled files is a pickle.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from vesalia.imaging.affine_loops import compiled, is_compiled
from vesalia.imaging.background import InBackground

__all__ = ["Boxes", "Linear", "copied_rows", "loop_of", "scaled_rows"]

Array = npt.NDArray[Any]
Loop = Callable[..., None]
Kind = tuple[np.dtype[Any], np.dtype[Any], bool]
"""Type of the source, type of the target, and whether values are computed."""

_TYPES = tuple(np.dtype(kind) for kind in (np.float32, np.int16, np.uint8))
_COMPILED: dict[Kind, InBackground[Loop]] = {}


class Linear(Protocol):
    """``clamp(x * scale + shift, low, high)``."""

    @property
    def scale(self) -> float:
        """What values are multiplied with."""

    @property
    def shift(self) -> float:
        """What is added then."""

    @property
    def low(self) -> float:
        """Lower limit."""

    @property
    def high(self) -> float:
        """Upper limit."""


def loop_of(source: np.dtype[Any], target: np.dtype[Any], *, scaled: bool) -> Loop | None:
    """The loop for these types; None while there is none, which the first who asks has compiled in the background."""
    kind = (source, target, scaled)
    found = _COMPILED.get(kind)
    if found is None:
        if not (_is_made(kind) and is_compiled()):
            return None
        found = _COMPILED.setdefault(kind, InBackground(partial(_compile, kind)))
    return found.get()


def _is_made(kind: Kind) -> bool:
    source, target, scaled = kind
    return source in _TYPES and target == (np.float32 if scaled else source)


def _compile(kind: Kind) -> Loop:
    source, target, scaled = kind
    loop = _loops()[scaled]
    tiny = np.zeros(8, source), 0, 4, 2, True, np.empty((2, 2, 2), target)
    loop(*tiny, *np.ones(4, np.float32)) if scaled else loop(*tiny)
    return loop


@lru_cache(maxsize=1)
def _loops() -> tuple[Loop, Loop]:
    return compiled(copied_rows), compiled(scaled_rows)


def _row(rule: Linear) -> tuple[Any, ...]:
    return tuple(np.float32(value) for value in (rule.scale, rule.shift, rule.low, rule.high))


class Boxes:
    """A source of boxes.

    Args:
        source: Any shape, the last axis dense: the box's axes come last, 2 or 3 of them.
    """

    def __init__(self, source: Array) -> None:
        self.steps = tuple(step // source.itemsize for step in source.strides)
        reach = 1 + sum((length - 1) * step for length, step in zip(source.shape, self.steps, strict=True))
        self.row = as_strided(source, (reach,), (source.itemsize,))

    @staticmethod
    def suit(source: Array) -> bool:
        """Whether boxes can be taken of ``source``."""
        return source.size > 0 and source.strides[-1] == source.itemsize and min(source.strides) >= 0

    def copy(
        self, loop: Loop, place: Sequence[int], back: Sequence[bool], target: Array, rule: Linear | None = None
    ) -> None:
        """Copy a box.

        Args:
            loop: From :func:`loop_of`, for the types of source and target.
            place: Index of the box's first voxel in the source.
            back: The axes that are reversed.
            target: ``[D, H, W]`` or ``[H, W]``, dense; its shape is that of the box.
            rule: What becomes of the values; None keeps them.
        """
        first = sum(index * step for index, step in zip(place, self.steps, strict=True))
        steps = []
        for reverse, length, step in zip(back[:-1], target.shape[:-1], self.steps[-target.ndim : -1], strict=True):
            first += (length - 1) * step if reverse else 0
            steps.append(-step if reverse else step)
        if target.ndim == len("HW"):
            target, steps = target[None], [0, *steps]
        numbers = () if rule is None else _row(rule)
        loop(self.row, first, *steps, bool(back[-1]), target, *numbers)


def copied_rows(source: Any, first: int, step_z: int, step_y: int, backwards: bool, out: Any) -> None:  # noqa: PLR0917 - compiled as one piece
    """Copy rows, whose voxels lie side by side in ``source``."""
    width = out.shape[2]
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            begin = first + z * step_z + y * step_y
            read, row = source[begin : begin + width], out[z, y]
            if backwards:
                for x in range(width):
                    row[x] = read[np.uint64(width - 1 - x)]  # an index that may be negative would be looked at
            else:
                for x in range(width):
                    row[x] = read[x]


def scaled_rows(  # noqa: PLR0917 - compiled as one piece
    source: Any,
    first: int,
    step_z: int,
    step_y: int,
    backwards: bool,
    out: Any,
    scale: Any,
    shift: Any,
    low: Any,
    high: Any,
) -> None:
    """Copy rows and compute with their values."""
    width = out.shape[2]
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            begin = first + z * step_z + y * step_y
            read, row = source[begin : begin + width], out[z, y]
            if backwards:
                for x in range(width):
                    value = np.float32(read[np.uint64(width - 1 - x)]) * scale + shift
                    row[x] = low if value < low else min(value, high)
            else:
                for x in range(width):
                    value = np.float32(read[x]) * scale + shift
                    row[x] = low if value < low else min(value, high)
