"""Reading a 3D volume through an affine map, as loops that Numba compiles where it is installed (the extra ``fast``).

The rules are those of :mod:`vesalia.imaging.resample`: what lies more than half a voxel beyond the outermost centres
is outside, what lies nearer has the border's value. Along a row of the result the places follow a straight line, so
the stretch that lies well inside is known beforehand and is read without looking at borders.

Compiled code is kept in memory only: Numba's index of compiled files is a pickle.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.imaging.background import Once

__all__ = [
    "EDGE",
    "HALF",
    "ROUNDING",
    "Reading",
    "between",
    "compile_for_training",
    "compile_straight",
    "compiled",
    "is_compiled",
    "read_linear",
    "read_nearest",
]

Array = npt.NDArray[Any]

_PLAIN_MESSAGES = "NUMBA_DISABLE_ERROR_MESSAGE_HIGHLIGHTING"
"""Numba colours messages by putting another ``sys.stdout`` in place and the old one back: from a thread, that may be
one that is no longer the process's."""

EDGE = 0.501
"""Half a voxel and the tolerance of :mod:`vesalia.imaging.resample`."""

_NEAR = 0.55
"""Voxels beyond a box within which each place is looked at; whatever is further away is outside."""

ROUNDING = 2.0**-22
"""A place in a box of n voxels moves by less than n times this when it is rounded to float32."""

_STANDS = 1e-6
"""Voxels within which a row of the result does not move along an axis."""

HALF = 0.50005
"""What is added before cutting off decimals: halves go up, also those that rounding errors moved a little."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read, and how values are written.

    Attributes:
        source: All voxels in one row; the last axis lies closest together.
        first: Where in ``source`` the box begins that may be read.
        steps: From one voxel to the next along the first and the second axis, in elements.
        shape: Voxels of the box.
        matrix: ``[3, 4]`` in float64, from voxels of the result to voxels of the box.
        scale: What values are multiplied with.
        shift: What is added then.
        fill: What is written where the result lies outside of the box.
    """

    source: Array
    first: int
    steps: tuple[int, int]
    shape: tuple[int, int, int]
    matrix: npt.NDArray[np.float64]
    scale: float = 1.0
    shift: float = 0.0
    fill: float = 0.0


def is_compiled() -> bool:
    """Whether the loops are compiled; without Numba they would be too slow to use."""
    return _numba_is_there()


def read_linear(reading: Reading, out: npt.NDArray[np.float32]) -> None:
    """Read between voxels and write to ``out`` ``[D, H, W]``."""
    kind = np.float32
    row = (kind(reading.scale), kind(reading.shift), kind(reading.fill))
    spans = _spans(reading, out.shape, offset=0.0, reach=-1)
    _loops()[0](*_place(reading), spans, out, *row)


def read_nearest(reading: Reading, out: Array) -> None:
    """Read the nearest voxel and write it to ``out`` ``[D, H, W]``; values are not scaled."""
    spans = _spans(reading, out.shape, offset=HALF, reach=0)
    _loops()[1](*_place(reading), spans, out, out.dtype.type(reading.fill))


def compile_straight() -> None:
    """Compile :func:`read_linear` and :func:`read_nearest` for training."""
    compile_for_training(read_linear, read_nearest)


def compile_for_training(linear: Callable[..., None], nearest: Callable[..., None]) -> None:
    """Have two readings compiled for what training reads: images of float32 and int16, labels of uint8."""
    for dtype in (np.float32, np.int16):
        linear(_tiny(dtype), np.empty((2, 2, 2), np.float32))
    nearest(_tiny(np.uint8), np.empty((2, 2, 2), np.uint8))


def _tiny(dtype: type) -> Reading:
    return Reading(np.zeros(8, dtype), 0, (4, 2), (2, 2, 2), np.eye(3, 4))


@lru_cache(maxsize=1)
def _numba_is_there() -> bool:
    return find_spec("numba") is not None


@Once
def _loops() -> tuple[Callable[..., None], Callable[..., None], Callable[..., None]]:
    return (
        compiled(_linear_rows_with(compiled(between, joins_products=True)), joins_products=True),
        compiled(nearest_rows),
        compiled(span_rows),
    )


def compiled(loop: Callable[..., Any], *, joins_products: bool = False) -> Callable[..., Any]:
    """``loop`` as Numba compiles it at its first call; the loop itself where there is no Numba.

    Args:
        loop: What to compile.
        joins_products: Whether ``a * b + c`` may be rounded once instead of twice, as processors do it in one step.
    """
    if not _numba_is_there():
        return loop
    os.environ.setdefault(_PLAIN_MESSAGES, "1")
    import numba  # noqa: PLC0415 - an extra, and half a second to import

    loosely = {"contract"} if joins_products else False
    quick: Callable[..., Any] = numba.njit(nogil=True, error_model="numpy", fastmath=loosely)(loop)
    return quick


def _place(reading: Reading) -> tuple[Array, int, int, int, tuple[int, int, int], npt.NDArray[np.float64]]:
    return reading.source, reading.first, *reading.steps, reading.shape, reading.matrix


def _spans(reading: Reading, size: Sequence[int], *, offset: float, reach: int) -> npt.NDArray[np.int64]:
    """``[D, H, 4]``: where each row of the result comes near the source, lies well inside, leaves that, and is far."""
    spans = np.empty((size[0], size[1], 4), np.int64)
    _loops()[2](reading.matrix, reading.shape, spans, size[2], offset, reach)
    return spans


def span_rows(matrix: Any, shape: tuple[int, int, int], spans: Any, width: int, offset: float, reach: int) -> None:  # noqa: PLR0917 - compiled as one piece
    """Find the spans of :func:`_spans`.

    What lies well inside stays so when its place is rounded to float32: nothing behind the box is read, not even with
    a weight of 0.
    """
    for z in range(spans.shape[0]):
        for y in range(spans.shape[1]):
            near, low, high, far = 0.0, 0.0, float(width), float(width)
            for axis in range(3):
                step = matrix[axis, 2]
                base = matrix[axis, 0] * z + matrix[axis, 1] * y + matrix[axis, 3] + offset
                end = (shape[axis] + reach) - max(1e-4, shape[axis] * ROUNDING)
                if abs(step) * width < _STANDS:
                    high = high if base - _STANDS >= 0 and base + _STANDS <= end else 0.0
                    far = far if -_NEAR <= base <= end + _NEAR else 0.0
                    continue
                one, other, more = -base / step, (end - base) / step, _NEAR / abs(step)
                first, last = min(one, other), max(one, other)
                near, low = max(near, np.floor(first - more)), max(low, np.ceil(first))
                high, far = min(high, np.floor(last) + 1), min(far, np.ceil(last + more) + 1)
            near = min(near, width)
            far = max(far, near)
            low = min(max(low, near), far)
            spans[z, y, 0], spans[z, y, 1] = int(near), int(low)
            spans[z, y, 2], spans[z, y, 3] = int(min(max(high, low), far)), int(far)


def between(source: Any, i: Any, steps: Any, parts: Any) -> Any:
    """Between eight voxels, the first at ``i``: ``steps`` lead to the next along each axis, ``parts`` of the way."""
    step_z, step_y, step_x = steps
    part_z, part_y, part_x = parts
    a, b = np.float32(source[i]), np.float32(source[i + step_y])
    c, d = np.float32(source[i + step_z]), np.float32(source[i + step_z + step_y])
    a += (np.float32(source[i + step_x]) - a) * part_x
    b += (np.float32(source[i + step_y + step_x]) - b) * part_x
    c += (np.float32(source[i + step_z + step_x]) - c) * part_x
    d += (np.float32(source[i + step_z + step_y + step_x]) - d) * part_x
    a += (b - a) * part_y
    c += (d - c) * part_y
    return a + (c - a) * part_z


def _linear_rows_with(between: Callable[..., Any]) -> Callable[..., None]:
    def linear_rows(  # noqa: PLR0917 - compiled as one piece
        source: Any,
        first: int,
        step_z: int,
        step_y: int,
        shape: tuple[int, int, int],
        matrix: Any,
        spans: Any,
        out: Any,
        scale: Any,
        shift: Any,
        fill: Any,
    ) -> None:
        """The loop of :func:`read_linear`, as Numba compiles it; an index that may be negative would be looked at."""
        last_z, last_y, last_x = shape[0] - 1.0, shape[1] - 1.0, shape[2] - 1.0
        dz, dy, dx = matrix[0, 2], matrix[1, 2], matrix[2, 2]
        begin, down, along, one = np.uint64(first), np.uint64(step_z), np.uint64(step_y), np.uint64(1)
        for z in range(out.shape[0]):
            for y in range(out.shape[1]):
                z0 = matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 3]
                y0 = matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 3]
                x0 = matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 3]
                row, span = out[z, y], spans[z, y]
                for x in range(span[1], span[2]):
                    fz, fy, fx = np.float32(z0 + dz * x), np.float32(y0 + dy * x), np.float32(x0 + dx * x)
                    iz, iy, ix = np.int32(fz), np.int32(fy), np.int32(fx)
                    wz, wy, wx = fz - np.float32(iz), fy - np.float32(iy), fx - np.float32(ix)
                    i = begin + np.uint64(iz) * down + np.uint64(iy) * along + np.uint64(ix)
                    row[x] = between(source, i, (down, along, one), (wz, wy, wx)) * scale + shift
                row[: span[0]] = fill
                row[span[3] :] = fill
                for part in range(2):
                    for x in range(span[2 * part], span[2 * part + 1]):
                        ez, ey, ex = z0 + dz * x, y0 + dy * x, x0 + dx * x
                        beyond = max(-ez, -ey, -ex, ez - last_z, ey - last_y, ex - last_x)
                        if beyond > EDGE:
                            row[x] = fill
                            continue
                        ez, ey, ex = min(max(ez, 0.0), last_z), min(max(ey, 0.0), last_y), min(max(ex, 0.0), last_x)
                        iz, iy, ix = np.int32(ez), np.int32(ey), np.int32(ex)
                        wz, wy, wx = np.float32(ez - iz), np.float32(ey - iy), np.float32(ex - ix)
                        i = first + iz * step_z + iy * step_y + ix
                        sz, sy = (step_z if iz < last_z else 0), (step_y if iy < last_y else 0)
                        sx = 1 if ix < last_x else 0
                        row[x] = between(source, i, (sz, sy, sx), (wz, wy, wx)) * scale + shift

    return linear_rows


def nearest_rows(  # noqa: PLR0917 - compiled as one piece
    source: Any,
    first: int,
    step_z: int,
    step_y: int,
    shape: tuple[int, int, int],
    matrix: Any,
    spans: Any,
    out: Any,
    fill: Any,
) -> None:
    """The loop of :func:`read_nearest`, as Numba compiles it."""
    dz, dy, dx = matrix[0, 2], matrix[1, 2], matrix[2, 2]
    slack = EDGE - 0.5
    begin, down, along = np.uint64(first), np.uint64(step_z), np.uint64(step_y)
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            z0 = matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 3] + HALF
            y0 = matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 3] + HALF
            x0 = matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 3] + HALF
            row, span = out[z, y], spans[z, y]
            for x in range(span[1], span[2]):
                iz, iy, ix = np.int32(z0 + dz * x), np.int32(y0 + dy * x), np.int32(x0 + dx * x)
                row[x] = source[begin + np.uint64(iz) * down + np.uint64(iy) * along + np.uint64(ix)]
            row[: span[0]] = fill
            row[span[3] :] = fill
            for part in range(2):
                for x in range(span[2 * part], span[2 * part + 1]):
                    ez, ey, ex = z0 + dz * x, y0 + dy * x, x0 + dx * x
                    if max(-ez, -ey, -ex, ez - shape[0], ey - shape[1], ex - shape[2]) > slack:
                        row[x] = fill
                        continue
                    iz = min(max(np.int32(ez), 0), shape[0] - 1)
                    iy = min(max(np.int32(ey), 0), shape[1] - 1)
                    ix = min(max(np.int32(ex), 0), shape[2] - 1)
                    row[x] = source[first + iz * step_z + iy * step_y + ix]
