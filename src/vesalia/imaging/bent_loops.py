"""Reading a 3D volume through a map that is bent by control points, as loops that Numba compiles (the extra ``fast``).

The rules are those of :mod:`vesalia.imaging.affine_loops`. Along a row of the result, displacements are a polynomial of
the third degree from one cell of control points to the next: they are found once per cell, not once per voxel.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.imaging.affine_loops import EDGE, HALF, ROUNDING, Reading, between, compile_for_training, compiled
from vesalia.imaging.background import Once

__all__ = ["Bend", "compile_bent", "read_bent_linear", "read_bent_nearest"]


@dataclass(frozen=True, slots=True)
class Bend:
    """Displacements that are added to the places of a map; linear between control points, level beyond them.

    Attributes:
        points: ``[3, D, H, W]`` in float64, in voxels of the box that is read; at least two points per axis.
        matrix: ``[3, 4]`` in float64, from voxels of the result to control points.
    """

    points: npt.NDArray[np.float64]
    matrix: npt.NDArray[np.float64]


def read_bent_linear(reading: Reading, out: npt.NDArray[np.float32], *, bend: Bend) -> None:
    """Read between voxels and write to ``out`` ``[D, H, W]``."""
    values = (np.float32(reading.scale), np.float32(reading.shift), np.float32(reading.fill))
    _loops()[0](reading.source, _box(reading), _maps(reading, bend), out, values)


def read_bent_nearest(reading: Reading, out: npt.NDArray[Any], *, bend: Bend) -> None:
    """Read the nearest voxel and write it to ``out`` ``[D, H, W]``; values are not scaled."""
    values = (1, 0, out.dtype.type(reading.fill))
    _loops()[1](reading.source, _box(reading), _maps(reading, bend), out, values)


def compile_bent() -> None:
    """Compile :func:`read_bent_linear` and :func:`read_bent_nearest` for training."""
    bend = Bend(np.zeros((3, 2, 2, 2)), np.eye(3, 4))
    compile_for_training(partial(read_bent_linear, bend=bend), partial(read_bent_nearest, bend=bend))


Box = tuple[int, int, int, int, int, int]
Maps = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]


def _box(reading: Reading) -> Box:
    return (reading.first, *reading.steps, *reading.shape)


def _maps(reading: Reading, bend: Bend) -> Maps:
    points = np.ascontiguousarray(bend.points)
    lengths = points.reshape(3, -1)
    reach = np.stack([lengths.min(axis=1), lengths.max(axis=1)], axis=1)
    return np.ascontiguousarray(reading.matrix), np.ascontiguousarray(bend.matrix), points, reach


@Once
def _loops() -> tuple[Callable[..., None], Callable[..., None]]:
    cubic = compiled(_cubic_with(compiled(_bilinear)))
    row = compiled(_row_with(cubic), joins_products=True)
    within = compiled(_is_within)
    value = compiled(between, joins_products=True)
    readings = _linear_within(value), _linear_at_border(value)
    linear = [compiled(reading, joins_products=True) for reading in readings]
    nearest = compiled(_nearest_within), compiled(_nearest_at_border)
    return compiled(_rows_with(row, within, *linear)), compiled(_rows_with(row, within, *nearest))


def _bilinear(points: Any, cell: Any, start: Any, step: Any) -> tuple[Any, Any, Any]:
    """What lies between four control points on a straight line, as ``a + b * t + c * t * t``."""
    near, far = points[cell[1], cell[2]], points[cell[1] + 1, cell[2]]
    near_rise, far_rise = points[cell[1], cell[2] + 1] - near, points[cell[1] + 1, cell[2] + 1] - far
    near, far = near + near_rise * start[2], far + far_rise * start[2]
    near_rise, far_rise = near_rise * step[2], far_rise * step[2]
    rise, twist = far - near, far_rise - near_rise
    return near + rise * start[1], near_rise + twist * start[1] + rise * step[1], twist * step[1]


def _cubic_with(bilinear: Callable[..., Any]) -> Callable[..., Any]:
    def cubic(points: Any, cell: Any, start: Any, step: Any) -> tuple[Any, Any, Any, Any]:
        """What lies between eight control points on a straight line, as ``a + b * t + c * t ** 2 + d * t ** 3``.

        The line is at ``start`` of the cell for ``t`` 0 and goes on by ``step``.
        """
        a0, a1, a2 = bilinear(points[cell[0]], cell, start, step)
        b0, b1, b2 = bilinear(points[cell[0] + 1], cell, start, step)
        rise0, rise1, rise2 = b0 - a0, b1 - a1, b2 - a2
        one, two = a1 + rise1 * start[0] + rise0 * step[0], a2 + rise2 * start[0] + rise1 * step[0]
        return a0 + rise0 * start[0], one, two, rise2 * step[0]

    return cubic


def _row_with(cubic: Callable[..., Any]) -> Callable[..., None]:
    def row(points: Any, matrix: Any, z: int, y: int, moved: Any) -> None:
        """Write the displacements of a row ``[3, width]``, from one cell of control points to the next."""
        begin, slope = np.empty(3), np.empty(3)
        start, step, cell = np.empty(3), np.empty(3), np.empty(3, np.int64)
        for axis in range(3):
            begin[axis] = matrix[axis, 0] * z + matrix[axis, 1] * y + matrix[axis, 3]
            slope[axis] = matrix[axis, 2]
        x, width = 0, moved.shape[1]
        while x < width:
            ends = float(width)
            for axis in range(3):
                last = points.shape[axis + 1] - 1
                at, along = begin[axis] + slope[axis] * x, slope[axis]
                inside = min(max(at, 0.0), float(last))
                cell[axis] = min(int(inside), last - 1)
                start[axis], step[axis] = inside - cell[axis], along
                if at < 0 or at > last:  # level there, until the line comes in
                    step[axis], border = 0.0, (0.0 if at < 0 else float(last))
                    comes = along > 0 if at < 0 else along < 0
                else:
                    border, comes = float(cell[axis] + 1 if along > 0 else cell[axis]), along != 0
                if comes:
                    ends = min(ends, x + np.ceil((border - at) / along))
            stop = min(max(int(ends), x + 1), width)
            for axis in range(3):
                a, b, c, d = cubic(points[axis], cell, start, step)
                for voxel in range(x, stop):
                    t = float(voxel - x)
                    moved[axis, voxel] = a + t * (b + t * (c + t * d))
            x = stop

    return row


def _is_within(begin: Any, slope: Any, reach: Any, shape: Any, width: int) -> bool:
    """Whether a row stays in the box, and so does each voxel's upper neighbour, even rounded to float32."""
    for axis in range(3):
        end = begin[axis] + slope[axis] * (width - 1)
        most = shape[axis] - 1.0 - max(1e-4, shape[axis] * ROUNDING)
        if min(begin[axis], end) + reach[axis, 0] < 0 or max(begin[axis], end) + reach[axis, 1] > most:
            return False
    return True


def _rows_with(displace: Any, within: Any, inner: Any, border: Any) -> Callable[..., None]:
    def bent_rows(source: Any, box: Box, maps: Maps, out: Any, values: Any) -> None:
        """Row by row: those that stay in the box need not be looked at voxel by voxel."""
        read, bent, points, reach = maps
        moved = np.empty((3, out.shape[2]))
        for z in range(out.shape[0]):
            for y in range(out.shape[1]):
                displace(points, bent, z, y, moved)
                base = read[:, 0] * z + read[:, 1] * y + read[:, 3]
                if within(base, read[:, 2], reach, box[3:], out.shape[2]):
                    inner(source, box, (base, read[:, 2], moved), out[z, y], values)
                else:
                    border(source, box, (base, read[:, 2], moved), out[z, y], values)

    return bent_rows


def _linear_within(between: Callable[..., Any]) -> Callable[..., None]:
    def linear_within(source: Any, box: Box, place: Any, line: Any, values: Any) -> None:
        base, slope, moved = place
        scale, shift, _ = values
        begin, down, along, one = np.uint64(box[0]), np.uint64(box[1]), np.uint64(box[2]), np.uint64(1)
        z0, y0, x0, dz, dy, dx = base[0], base[1], base[2], slope[0], slope[1], slope[2]
        for x in range(len(line)):
            fz = np.float32(z0 + dz * x + moved[0, x])
            fy = np.float32(y0 + dy * x + moved[1, x])
            fx = np.float32(x0 + dx * x + moved[2, x])
            iz, iy, ix = np.int32(fz), np.int32(fy), np.int32(fx)
            wz, wy, wx = fz - np.float32(iz), fy - np.float32(iy), fx - np.float32(ix)
            i = begin + np.uint64(iz) * down + np.uint64(iy) * along + np.uint64(ix)
            line[x] = between(source, i, (down, along, one), (wz, wy, wx)) * scale + shift

    return linear_within


def _linear_at_border(between: Callable[..., Any]) -> Callable[..., None]:
    def linear_at_border(source: Any, box: Box, place: Any, line: Any, values: Any) -> None:
        base, slope, moved = place
        scale, shift, fill = values
        first, step_z, step_y, depth, height, width = box
        last_z, last_y, last_x = depth - 1.0, height - 1.0, width - 1.0
        for x in range(len(line)):
            ez, ey = base[0] + slope[0] * x + moved[0, x], base[1] + slope[1] * x + moved[1, x]
            ex = base[2] + slope[2] * x + moved[2, x]
            if max(-ez, -ey, -ex, ez - last_z, ey - last_y, ex - last_x) > EDGE:
                line[x] = fill
                continue
            ez, ey, ex = min(max(ez, 0.0), last_z), min(max(ey, 0.0), last_y), min(max(ex, 0.0), last_x)
            iz, iy, ix = int(ez), int(ey), int(ex)
            wz, wy, wx = np.float32(ez - iz), np.float32(ey - iy), np.float32(ex - ix)
            i = first + iz * step_z + iy * step_y + ix
            sz, sy, sx = (step_z if iz < last_z else 0), (step_y if iy < last_y else 0), (1 if ix < last_x else 0)
            line[x] = between(source, i, (sz, sy, sx), (wz, wy, wx)) * scale + shift

    return linear_at_border


def _nearest_within(source: Any, box: Box, place: Any, line: Any, _: Any) -> None:
    base, slope, moved = place
    begin, down, along = np.uint64(box[0]), np.uint64(box[1]), np.uint64(box[2])
    z0, y0, x0 = base[0] + HALF, base[1] + HALF, base[2] + HALF
    dz, dy, dx = slope[0], slope[1], slope[2]
    for x in range(len(line)):
        iz, iy = np.int32(z0 + dz * x + moved[0, x]), np.int32(y0 + dy * x + moved[1, x])
        ix = np.int32(x0 + dx * x + moved[2, x])
        line[x] = source[begin + np.uint64(iz) * down + np.uint64(iy) * along + np.uint64(ix)]


def _nearest_at_border(source: Any, box: Box, place: Any, line: Any, values: Any) -> None:
    base, slope, moved = place
    first, step_z, step_y, depth, height, width = box
    z0, y0, x0 = base[0] + HALF, base[1] + HALF, base[2] + HALF
    for x in range(len(line)):
        ez, ey = z0 + slope[0] * x + moved[0, x], y0 + slope[1] * x + moved[1, x]
        ex = x0 + slope[2] * x + moved[2, x]
        if max(-ez, -ey, -ex, ez - depth, ey - height, ex - width) > EDGE - 0.5:
            line[x] = values[2]
            continue
        iz, iy, ix = min(max(int(ez), 0), depth - 1), min(max(int(ey), 0), height - 1), min(max(int(ex), 0), width - 1)
        line[x] = source[first + iz * step_z + iy * step_y + ix]
