"""From one grid to another: by slices and per axis where the axes agree, by free sampling where they do not.

Two rules hold for every path. A target voxel whose centre lies outside the source's field of view (more than half a
voxel beyond the outermost centres) gets the fill value; one that lies inside it, in the outer half voxel, gets the
border's value. And ``nearest`` on the same voxels is the identity, to the bit, also after reordering, reversing,
cropping or padding axes.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from vesalia.errors import DataError
from vesalia.imaging.axis_steps import TOLERANCE_VOXELS, AxisStep, axis_steps
from vesalia.imaging.geometry import Grid, index_map
from vesalia.imaging.volume import Volume

__all__ = ["Mode", "resample", "resample_to", "resize", "sample_at", "sample_each"]

Mode = Literal["linear", "nearest"]

_SLAB_VOXELS = 1 << 21
"""Free sampling works through this many target voxels at a time, so that memory stays flat."""


def resample_to(volume: Volume, grid: Grid, *, mode: Mode, fill: float = 0.0) -> Volume:
    """``volume`` on another grid, its data ``fill`` where the grid leaves the field of view.

    Raises:
        DataError: The volume does not know its place (a batch of crops), or has other dimensions than the grid.
    """
    if volume.affine is None or volume.batched:
        message = "resampling: found a volume without an affine, expected one that knows its place in the patient"
        raise DataError(message)
    if len(grid.shape) != len(volume.spatial_shape):
        message = f"resampling: found a volume of shape {volume.spatial_shape}, expected {len(grid.shape)} spatial axes"
        raise DataError(message)
    data = resample(volume.as_batch(), volume.grid, target=grid, mode=mode, fill=fill)
    return replace(volume.from_batch(data), affine=grid.affine)


def resample(data: torch.Tensor, source: Grid, *, target: Grid, mode: Mode, fill: float = 0.0) -> torch.Tensor:
    """``[B, C, *source.shape]`` to ``[B, C, *target.shape]``, contiguous.

    ``nearest`` keeps the dtype; ``linear`` makes whole numbers float32.
    """
    if mode == "linear" and not data.is_floating_point():
        data = data.float()
    matrix, offset = index_map(source, target)
    steps = axis_steps(matrix, offset, source=source.shape, target=target.shape)
    if steps is None:
        return _resample_freely(data, matrix, offset, target.shape, mode=mode, fill=fill)
    if all(step.keeps_field_of_view for step in steps):
        flips = [step.source_axis + 2 for step in steps if step.scale < 0]
        turned = (data.flip(flips) if flips else data).permute(0, 1, *(step.source_axis + 2 for step in steps))
        return resize(turned, target.shape, mode=mode).contiguous()
    return _resample_by_axis(data, steps, mode, fill)


def resize(data: torch.Tensor, shape: Sequence[int], *, mode: Mode) -> torch.Tensor:
    """``[B, C, *spatial]`` divided into ``shape`` voxels over the same field of view (edges stay where they are)."""
    old, new = tuple(data.shape[2:]), tuple(shape)
    if mode == "linear" and not data.is_floating_point():
        data = data.float()
    if new == old:
        return data
    if mode == "linear":
        kind = "trilinear" if len(old) == 3 else "bilinear"
        return F.interpolate(data, size=new, mode=kind, align_corners=False).contiguous()
    if data.dtype in _INTERPOLATE_NEAREST:
        return F.interpolate(data, size=new, mode="nearest-exact").contiguous()
    steps = [AxisStep.resizing(axis, old=a, new=b) for axis, (a, b) in enumerate(zip(old, new, strict=True))]
    return _resample_by_axis(data, steps, mode, 0.0)


def sample_at(data: torch.Tensor, coordinates: torch.Tensor, *, mode: Mode, fill: float = 0.0) -> torch.Tensor:
    """Values of ``[B, C, *spatial]`` at any places.

    Args:
        data: The voxels.
        coordinates: ``[dims, *out]`` voxel indices of ``data``, fractional, the same for all of the batch.
        mode: ``linear`` or ``nearest``.
        fill: The value outside the field of view.

    Returns:
        ``[B, C, *out]``.
    """
    return sample_each(data, coordinates.unsqueeze(0), mode=mode, fill=fill)


def sample_each(data: torch.Tensor, coordinates: torch.Tensor, *, mode: Mode, fill: float = 0.0) -> torch.Tensor:
    """Values of ``[B, C, *spatial]`` at places of each member's own.

    Args:
        data: The voxels; a single member may be read at several sets of places.
        coordinates: ``[B, dims, *out]`` voxel indices of ``data``, fractional; one set may serve all members.
        mode: ``linear`` or ``nearest``.
        fill: The value outside the field of view.

    Returns:
        ``[B, C, *out]``, a new tensor.
    """
    sizes, out = data.shape[2:], coordinates.shape[2:]
    members = max(len(data), len(coordinates))
    limits = torch.tensor(sizes, dtype=coordinates.dtype, device=coordinates.device)
    limits = limits.view(-1, *[1] * len(out))
    edge = 0.5 + TOLERANCE_VOXELS
    inside = ((coordinates >= -edge) & (coordinates <= limits - 1 + edge)).all(dim=1)
    if mode == "nearest":
        index = _round_half_up(coordinates).minimum(limits - 1).clamp_(min=0).long()
        flat = index[:, 0]
        for axis, size in enumerate(sizes[1:], start=1):
            flat = flat * size + index[:, axis]
        where = flat.flatten(1).unsqueeze(1).expand(members, data.shape[1], -1)
        values = data.flatten(2).expand(members, -1, -1).gather(2, where).view(members, data.shape[1], *out)
    else:
        places = ((coordinates * 2 + 1) / limits - 1).flip(1).movedim(1, -1).to(data.dtype)
        places, data = places.expand(members, *places.shape[1:]), data.expand(members, *data.shape[1:])
        values = F.grid_sample(data, places, mode="bilinear", padding_mode="border", align_corners=False)
    return values if bool(inside.all()) else values.masked_fill(~inside.unsqueeze(1), fill)


_INTERPOLATE_NEAREST = (torch.float32, torch.float64, torch.uint8)
"""What torch resizes by nearest neighbour on every device; other types go axis by axis."""


def _resample_by_axis(data: torch.Tensor, steps: Sequence[AxisStep], mode: Mode, fill: float) -> torch.Tensor:
    """One axis after the other, those that shrink the data first; what lies outside is padded at the end."""
    padding: list[int] = []
    plans = []
    for step in steps:
        before, after, places = step.inside()
        padding = [before, after, *padding]
        plans.append((len(places) / step.source_size, step.source_axis + 2, places))
    for _, axis, places in sorted(plans, key=lambda plan: plan[:2]):
        data = _nearest_along(data, axis, places) if mode == "nearest" else _linear_along(data, axis, places)
    data = data.permute(0, 1, *(step.source_axis + 2 for step in steps))
    return F.pad(data, padding, value=fill) if any(padding) else data.contiguous()


def _nearest_along(data: torch.Tensor, axis: int, places: npt.NDArray[np.float64]) -> torch.Tensor:
    return _take(data, axis, np.floor(places.round(4) + 0.5).clip(0, data.shape[axis] - 1).astype(np.int64))


def _linear_along(data: torch.Tensor, axis: int, places: npt.NDArray[np.float64]) -> torch.Tensor:
    whole = places.round()
    if not len(places) or np.abs(places - whole).max() < TOLERANCE_VOXELS:
        return _take(data, axis, whole.astype(np.int64))
    low = np.floor(places).astype(np.int64)
    high = np.minimum(low + 1, data.shape[axis] - 1)
    shape = [-1 if dimension == axis else 1 for dimension in range(data.ndim)]
    weight = torch.from_numpy(places - low).to(data).view(shape)
    return torch.lerp(_take(data, axis, low), _take(data, axis, high), weight)


def _take(data: torch.Tensor, axis: int, index: npt.NDArray[np.int64]) -> torch.Tensor:
    """``index_select``, or a view where ``index`` counts up, or a flip where it counts down."""
    if len(index) and (step := int(index[-1] - index[0])) in {len(index) - 1, 1 - len(index)}:
        first = int(index.min())
        if np.array_equal(index, np.arange(first, first + len(index))):
            return data.narrow(axis, first, len(index))
        if step < 0 and np.array_equal(index[::-1], np.arange(first, first + len(index))):
            return data.narrow(axis, first, len(index)).flip(axis)
    return data.index_select(axis, torch.from_numpy(index).to(data.device))


def _resample_freely(
    data: torch.Tensor,
    matrix: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    shape: Sequence[int],
    *,
    mode: Mode,
    fill: float,
) -> torch.Tensor:
    result = data.new_empty(*data.shape[:2], *shape)
    thickness = max(1, _SLAB_VOXELS // max(1, int(np.prod(shape[1:]))))
    for start in range(0, shape[0], thickness):
        stop = min(start + thickness, shape[0])
        places = _positions(matrix, offset, ((start, stop), *((0, size) for size in shape[1:]))).to(data.device)
        result[:, :, start:stop] = sample_at(data, places, mode=mode, fill=fill)
    return result


def _positions(
    matrix: npt.NDArray[np.float64], offset: npt.NDArray[np.float64], ranges: Sequence[tuple[int, int]]
) -> torch.Tensor:
    """``[dims, *out]`` source indices of a box of target voxels, in float64."""
    dims = len(ranges)
    rows = []
    for row, moved in zip(matrix, offset, strict=True):
        total = torch.full((1,) * dims, float(moved), dtype=torch.float64)
        for axis, (start, stop) in enumerate(ranges):
            shape = [-1 if other == axis else 1 for other in range(dims)]
            total = total + torch.arange(start, stop, dtype=torch.float64).view(shape) * float(row[axis])
        rows.append(total)
    return torch.stack(rows)


def _round_half_up(places: torch.Tensor) -> torch.Tensor:
    """The nearest whole number; halves, also those that rounding errors moved a little, go up."""
    return ((places * 1e4).round() / 1e4 + 0.5).floor()
