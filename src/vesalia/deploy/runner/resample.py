"""From one grid to another with NumPy: the twin of :mod:`vesalia.imaging.resample`, whose rules it keeps.

``nearest`` gives the very same voxels; ``linear`` the same numbers but for the order in which they are added.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from vesalia.deploy.runner.volume import Volume
from vesalia.errors import DataError
from vesalia.imaging.axis_steps import TOLERANCE_VOXELS, AxisStep, axis_steps
from vesalia.imaging.geometry import Grid, index_map

__all__ = ["Mode", "resample", "resample_to", "resize"]

Mode = Literal["linear", "nearest"]
_Array = npt.NDArray[Any]
_Index = npt.NDArray[np.int64]

_SLAB_VOXELS: Final = 1 << 20
"""Free sampling works through this many target voxels at a time, so that memory stays flat."""
_RESIZED_IN_FLOAT32: Final = ("float32", "float64", "uint8")
"""Types whose nearest neighbours torch finds in float32; others go by exact positions."""


def resample_to(volume: Volume, grid: Grid, *, mode: Mode, fill: float = 0.0) -> Volume:
    """``volume`` on another grid, its data ``fill`` where the grid leaves the field of view.

    Raises:
        DataError: The volume does not know its place, or has other dimensions than the grid.
    """
    if volume.affine is None:
        message = "resampling: found a volume without an affine, expected one that knows its place in the patient"
        raise DataError(message)
    if len(grid.shape) != len(volume.spatial_shape):
        message = f"resampling: found a volume of shape {volume.spatial_shape}, expected {len(grid.shape)} spatial axes"
        raise DataError(message)
    data = resample(volume.channels, volume.grid, target=grid, mode=mode, fill=fill)
    return replace(volume.like_this(data), affine=grid.affine)


def resample(data: _Array, source: Grid, *, target: Grid, mode: Mode, fill: float = 0.0) -> _Array:
    """``[C, *source.shape]`` to ``[C, *target.shape]``; ``linear`` makes whole numbers float32."""
    data = _interpolable(data, mode)
    matrix, offset = index_map(source, target)
    steps = axis_steps(matrix, offset, source=source.shape, target=target.shape)
    if steps is None:
        return _resample_freely(data, matrix, offset, target.shape, mode=mode, fill=fill)
    if all(step.keeps_field_of_view for step in steps):
        turned = np.flip(data, _reversed_axes(steps))
        return resize(turned.transpose(0, *(step.source_axis + 1 for step in steps)), target.shape, mode=mode)
    return _resample_by_axis(data, steps, mode, fill)


def resize(data: _Array, shape: Sequence[int], *, mode: Mode) -> _Array:
    """``[C, *spatial]`` divided into ``shape`` voxels over the same field of view (edges stay where they are)."""
    data = _interpolable(data, mode)
    old, new = data.shape[1:], tuple(shape)
    if new == old:
        return data
    if mode == "nearest" and data.dtype.name not in _RESIZED_IN_FLOAT32:
        steps = [AxisStep.resizing(axis, old=a, new=b) for axis, (a, b) in enumerate(zip(old, new, strict=True))]
        return _resample_by_axis(data, steps, mode, 0.0)
    changes = sorted(
        (axis for axis in range(len(old)) if old[axis] != new[axis]), key=lambda axis: new[axis] / old[axis]
    )
    for axis in changes:
        if mode == "nearest":
            data = data.take(_nearest_index(old[axis], new[axis], data.dtype), axis + 1)
        else:
            data = _interpolate(data, axis + 1, *_linear_index(old[axis], new[axis], data.dtype))
    return data


def _interpolable(data: _Array, mode: Mode) -> _Array:
    return data.astype(np.float32) if mode == "linear" and data.dtype.kind != "f" else data


def _reversed_axes(steps: Sequence[AxisStep]) -> tuple[int, ...]:
    return tuple(step.source_axis + 1 for step in steps if step.scale < 0)


def _nearest_index(old: int, new: int, kind: np.dtype[Any]) -> _Index:
    """The voxel under the centre of each new one, rounded as torch's ``nearest-exact`` rounds."""
    middle = _centres(old, new, kind).astype(np.float64) + 0.5
    found: _Index = np.floor(middle.astype(np.float32)).astype(np.int64)
    return np.minimum(found, old - 1)


def _linear_index(old: int, new: int, kind: np.dtype[Any]) -> tuple[_Index, _Index, _Array]:
    """Both neighbours of each new voxel's centre, and the share of the second."""
    places = _centres(old, new, kind)
    low = np.minimum(np.floor(places).astype(np.int64), old - 1)
    return low, np.minimum(low + 1, old - 1), (places - low).clip(0, 1).astype(places.dtype)


def _centres(old: int, new: int, kind: np.dtype[Any]) -> _Array:
    """Where the centres of new voxels lie between old ones, rounded as torch rounds: a fused multiply and subtract."""
    work, exact = (np.float64, np.longdouble) if kind == np.float64 else (np.float32, np.float64)
    scale = exact(work(old) / work(new))
    places: npt.NDArray[np.floating[Any]] = ((np.arange(new).astype(exact) + exact(0.5)) * scale - exact(0.5)).astype(
        work
    )
    return places.clip(0)


def _interpolate(data: _Array, axis: int, low: _Index, high: _Index, share: _Array) -> _Array:
    """Between two neighbours along an axis."""
    weight = share.astype(data.dtype).reshape([-1 if one == axis else 1 for one in range(data.ndim)])
    below: _Array = data.take(low, axis)
    above: _Array = data.take(high, axis)
    above -= below
    above *= weight
    below += above
    return below


def _resample_by_axis(data: _Array, steps: Sequence[AxisStep], mode: Mode, fill: float) -> _Array:
    """One axis after the other, those that shrink the data first; what lies outside is padded at the end."""
    padding, plans = [(0, 0)], []
    for step in steps:
        before, after, places = step.inside()
        padding.append((before, after))
        plans.append((len(places) / step.source_size, step.source_axis + 1, places))
    for _, axis, places in sorted(plans, key=lambda plan: plan[:2]):
        data = _along(data, axis, places, mode)
    data = data.transpose(0, *(step.source_axis + 1 for step in steps))
    return np.pad(data, padding, constant_values=fill) if np.any(padding) else data


def _along(data: _Array, axis: int, places: npt.NDArray[np.float64], mode: Mode) -> _Array:
    whole = places.round() if mode == "linear" else np.floor(places.round(4) + 0.5).clip(0, data.shape[axis] - 1)
    if mode == "nearest" or not len(places) or np.abs(places - whole).max() < TOLERANCE_VOXELS:
        taken: _Array = data.take(whole.astype(np.int64), axis)
        return taken
    low = np.floor(places).astype(np.int64)
    return _interpolate(data, axis, low, np.minimum(low + 1, data.shape[axis] - 1), places - low)


def _resample_freely(
    data: _Array,
    matrix: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    shape: Sequence[int],
    *,
    mode: Mode,
    fill: float,
) -> _Array:
    result = np.empty((len(data), *shape), dtype=data.dtype)
    thickness = max(1, _SLAB_VOXELS // max(1, int(np.prod(shape[1:]))))
    for start in range(0, shape[0], thickness):
        stop = min(start + thickness, shape[0])
        places = _positions(matrix, offset, ((start, stop), *((0, size) for size in shape[1:])))
        result[:, start:stop] = _sample(data, places, mode=mode, fill=fill)
    return result


def _positions(
    matrix: npt.NDArray[np.float64], offset: npt.NDArray[np.float64], ranges: Sequence[tuple[int, int]]
) -> npt.NDArray[np.float64]:
    """``[dims, *out]`` source indices of a box of target voxels."""
    dims = len(ranges)
    rows = []
    for row, moved in zip(matrix, offset, strict=True):
        total: npt.NDArray[np.float64] = np.full((1,) * dims, moved)
        for axis, (start, stop) in enumerate(ranges):
            along = np.arange(start, stop, dtype=np.float64).reshape([-1 if one == axis else 1 for one in range(dims)])
            total = total + along * row[axis]
        rows.append(total)
    return np.stack(rows)


def _sample(data: _Array, places: npt.NDArray[np.float64], *, mode: Mode, fill: float) -> _Array:
    limits = np.array(data.shape[1:]).reshape(-1, *[1] * (places.ndim - 1))
    edge = 0.5 + TOLERANCE_VOXELS
    inside = ((places >= -edge) & (places <= limits - 1 + edge)).all(axis=0)
    if mode == "nearest":
        index = np.floor(np.rint(places * 1e4) / 1e4 + 0.5).clip(0, limits - 1).astype(np.int64)
        place: Any = (slice(None), *index)
        values = data[place]
    else:
        each = [ndimage.map_coordinates(one, places, output=data.dtype, order=1, mode="nearest") for one in data]
        values = np.stack(each)
    return values if inside.all() else np.where(inside, values, np.asarray(fill, dtype=data.dtype))
