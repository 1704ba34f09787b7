"""Windows that are turned, scaled and bent while they are cut: one resampling, no larger crop in between."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from vesalia.imaging.geometry import Affine
from vesalia.imaging.resample import Mode, sample_at

__all__ = ["Warps", "matrices", "take_warped", "warped_affine"]


@dataclass(frozen=True, slots=True)
class Warps:
    """Where crops lie, and how they are turned, scaled and bent.

    Attributes:
        starts: ``[B, dims]`` first voxel of the window before it is warped.
        angles: ``[B, dims]`` radians around each axis (in 2D the first one counts).
        scales: ``[B]``, above 1 shows the anatomy larger.
        bends: ``[B, dims, *points]`` displacement in voxels at control points spread over the window.
    """

    starts: torch.Tensor
    angles: torch.Tensor
    scales: torch.Tensor
    bends: torch.Tensor


def matrices(warps: Warps, spacing_mm: Sequence[float]) -> torch.Tensor:
    """``[B, dims, dims]``, from voxels of a window to voxels of the volume; rotations are rigid in mm."""
    rotations = torch.stack([_rotation(row) for row in warps.angles.double()])
    spacing = torch.tensor(list(spacing_mm), dtype=torch.float64)
    return rotations * spacing[None, None, :] / spacing[None, :, None] / warps.scales.double()[:, None, None]


def warped_affine(affine: Affine, matrix: torch.Tensor, *, start: Sequence[int], size: Sequence[int]) -> Affine:
    """The affine of a warped window; bends, which no affine can say, are left out."""
    dims = len(size)
    half = (torch.tensor(list(size), dtype=torch.float64) - 1) / 2
    change = torch.eye(4, dtype=torch.float64)
    change[:dims, :dims] = matrix
    change[:dims, 3] = torch.tensor(list(start), dtype=torch.float64) + half - matrix @ half
    moved: Affine = affine @ change.numpy()
    return moved


def take_warped(
    data: torch.Tensor,
    start: Sequence[int],
    *,
    size: Sequence[int],
    matrix: torch.Tensor,
    bend: torch.Tensor,
    mode: Mode,
) -> torch.Tensor:
    """The warped window of ``[C, *spatial]`` data; reads only the box of voxels that it needs.

    Args:
        data: The voxels.
        start: First voxel of the window before it is warped.
        size: Voxels of the window.
        matrix: ``[dims, dims]``, from voxels of the window to voxels of the volume.
        bend: ``[dims, *points]`` displacements in voxels.
        mode: How to read between voxels.
    """
    places = _places(start, size, matrix, bend)
    low = [max(0, math.floor(float(axis.min())) - 1) for axis in places]
    high = [min(whole, math.ceil(float(axis.max())) + 2) for axis, whole in zip(places, data.shape[1:], strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return data.new_zeros(data.shape[0], *size)
    window = (slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))
    box = data[window]
    box = box.float() if mode == "linear" and not box.is_floating_point() else box
    places = places - torch.tensor(low, dtype=places.dtype).view(-1, *[1] * len(size))
    return sample_at(box.unsqueeze(0), places.to(data.device), mode=mode)[0]


def _places(start: Sequence[int], size: Sequence[int], matrix: torch.Tensor, bend: torch.Tensor) -> torch.Tensor:
    """``[dims, *size]`` voxel indices that a warped window reads."""
    dims = len(size)
    axes = [torch.arange(length, dtype=torch.float64) - (length - 1) / 2 for length in size]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    ones = [1] * dims
    middle = torch.tensor([first + (length - 1) / 2 for first, length in zip(start, size, strict=True)])
    places = torch.einsum("sw,w...->s...", matrix, grid) + middle.double().view(-1, *ones)
    if bool(bend.any()):
        kind = "trilinear" if dims == 3 else "bilinear"
        places += F.interpolate(bend.double()[None], size=tuple(size), mode=kind, align_corners=True)[0]
    return places


def _rotation(angles: torch.Tensor) -> torch.Tensor:
    """The product of the rotations around each axis (3D), or the rotation by the first angle (2D)."""
    if len(angles) == 2:
        return _plane_rotation(angles[0], (0, 1), 2)
    around = [_plane_rotation(angle, plane, 3) for angle, plane in zip(angles, ((1, 2), (2, 0), (0, 1)), strict=True)]
    return around[0] @ around[1] @ around[2]


def _plane_rotation(angle: torch.Tensor, plane: tuple[int, int], dims: int) -> torch.Tensor:
    rotation = torch.eye(dims, dtype=torch.float64)
    first, second = plane
    rotation[first, first] = rotation[second, second] = torch.cos(angle)
    rotation[second, first] = torch.sin(angle)
    rotation[first, second] = -torch.sin(angle)
    return rotation
