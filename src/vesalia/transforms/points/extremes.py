"""The extreme points of an object, and an image that shows points: a Gaussian around each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

__all__ = ["extreme_points", "gaussians_around"]


def extreme_points(mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For each axis the first and the last slice that the object reaches, and in it the voxel nearest its middle.

    Source: Maninis et al., Deep Extreme Cut, 2018, arXiv:1711.09081.

    Args:
        mask: ``[B, *spatial]``, boolean.

    Returns:
        ``[B, 2 * dims, dims]`` voxel indices, and ``[B]`` whether there is an object; without one its points are all 0.
    """
    dims = mask.ndim - 1
    ends = [_end(mask, axis, place=place) for axis in range(dims) for place in _reach(mask, axis)]
    there = mask.flatten(1).any(dim=1)
    return torch.stack(ends, dim=1) * there.view(-1, 1, 1), there


def _reach(mask: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """``[B]`` the first and ``[B]`` the last slice along ``axis`` that holds something."""
    reached = mask.any(dim=tuple(other + 1 for other in range(mask.ndim - 1) if other != axis))
    weights = torch.arange(1, reached.shape[1] + 1, device=mask.device)
    return (reached * weights.flip(0)).argmax(dim=1), (reached * weights).argmax(dim=1)


def _end(mask: torch.Tensor, axis: int, *, place: torch.Tensor) -> torch.Tensor:
    """``[B, dims]``: the voxel nearest the middle of what the slice at ``place`` along ``axis`` holds."""
    slices = mask.movedim(axis + 1, 1)
    inside = slices[torch.arange(len(slices), device=mask.device), place]
    sides = [torch.arange(size, dtype=torch.float64, device=mask.device) for size in inside.shape[1:]]
    places = torch.stack([side.flatten() for side in torch.meshgrid(*sides, indexing="ij")])  # [dims - 1, voxels]
    flat = inside.flatten(1)
    middle = (flat.double() @ places.mT) / flat.sum(dim=1, keepdim=True).clamp_min(1)
    distance = (places.unsqueeze(0) - middle.unsqueeze(2)).square().sum(dim=1)
    # Among voxels equally near the first one wins, on every device.
    distance = distance + 1e-9 * torch.arange(flat.shape[1], device=mask.device)
    nearest = distance.masked_fill(~flat, torch.inf).argmin(dim=1)
    point = list(places[:, nearest].long())
    return torch.stack([*point[:axis], place, *point[axis:]], dim=1)


def gaussians_around(
    points: torch.Tensor, there: torch.Tensor, *, shape: Sequence[int], sigma_voxels: float
) -> torch.Tensor:
    """The sum of a Gaussian of height 1 around each point; points on the same voxel count once.

    Args:
        points: ``[B, P, dims]`` voxel indices.
        there: ``[B]``, false for members that have no points.
        shape: The spatial shape of the image.
        sigma_voxels: Standard deviation of the Gaussians.

    Returns:
        ``[B, 1, *shape]`` float32.
    """
    same = (points.unsqueeze(1) == points.unsqueeze(2)).all(dim=3)
    weights = (~same.tril(-1).any(dim=2) & there[:, None]).float()  # [B, P]
    tables = []
    for axis, size in enumerate(shape):
        away = torch.arange(size, device=points.device) - points[..., axis, None]
        tables.append((-0.5 * (away / sigma_voxels).square()).exp())
    letters = "xyz"[: len(shape)]
    inputs = ",".join(f"bp{letter}" for letter in letters)
    return torch.einsum(f"bp,{inputs}->b{letters}", weights, *tables).unsqueeze(1)
