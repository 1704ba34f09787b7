"""Windows that are turned, scaled and bent while they are cut: one resampling, no larger crop in between."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.imaging.resample import Mode, sample_each
from vesalia.transforms.spatial.affine_sampling import inverted, places_of, slabs_of
from vesalia.transforms.spatial.bends import Bends, read_bent
from vesalia.transforms.spatial.rotations import rigid_matrices

__all__ = ["Warps", "take_back", "take_warped"]

_ROUNDS = 15
"""Steps of the search for the voxel of a window that a bend took from a place; bends are flat enough for it to meet."""


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

    def matrices(self, size: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """``[B, dims, dims + 1]`` in float64, from voxels of the windows to voxels of the volume, but for the bends.

        Rotations are rigid in mm.
        """
        angles = self.angles if len(size) == 3 else self.angles[:, :1]
        linear = rigid_matrices(angles, spacing_mm) / self.scales.double()[:, None, None]
        half = (torch.tensor(list(size), dtype=torch.float64) - 1) / 2
        offsets = self.starts.double() + half - linear @ half
        return torch.cat([linear, offsets.unsqueeze(-1)], dim=-1)


def take_warped(
    data: torch.Tensor, maps: torch.Tensor, *, bends: torch.Tensor, size: Sequence[int], mode: Mode
) -> torch.Tensor:
    """``[B, C, *size]``: warped windows of one volume, 0 outside of it.

    Args:
        data: ``[1, C, *spatial]`` voxels.
        maps: ``[B, dims, dims + 1]``, from voxels of a window to voxels of the volume.
        bends: ``[B, dims, *points]`` displacements in voxels.
        size: Voxels of a window.
        mode: How to read between voxels; ``linear`` makes whole numbers float32.
    """
    bent = Bends.over(size, bends) if bool(bends.any()) else None
    return read_bent(data, maps, bends=bent, size=size, mode=mode)


def take_back(
    crops: torch.Tensor, maps: torch.Tensor, *, bends: torch.Tensor, shape: Sequence[int], mode: Mode
) -> torch.Tensor:
    """``[1, C, *shape]``: the volume that warped windows ``[B, C, *size]`` show, 0 where none of them looked.

    Where windows overlap, an image becomes their mean, and a label that of the last window. Bends are undone by a
    fixed-point search, to a small fraction of a voxel.
    """
    back = inverted(maps).to(crops.device)
    bent = Bends.over(crops.shape[2:], bends.to(crops.device)) if bool(bends.any()) else None
    there = torch.ones(1, 1, *crops.shape[2:], device=crops.device)
    slabs = []
    for rows in slabs_of(shape, members=len(maps)):
        straight = places_of(back, shape, rows=rows)
        places = straight if bent is None else _unbent(straight, back[:, :, :-1], bent)
        seen = sample_each(there, places, mode="nearest") > 0
        slabs.append(_merged(sample_each(crops, places, mode=mode), seen, mode))
    return torch.cat(slabs, dim=2)


def _unbent(straight: torch.Tensor, linear: torch.Tensor, bends: Bends) -> torch.Tensor:
    """``[B, dims, *out]`` places in the windows, from where they would be without bends: ``x = straight - A b(x)``."""
    places = straight
    for _ in range(_ROUNDS):
        places = straight - torch.einsum("bij,bj...->bi...", linear, bends.at(places))
    return places


def _merged(parts: torch.Tensor, seen: torch.Tensor, mode: Mode) -> torch.Tensor:
    """``[1, C, *out]`` of the parts ``[B, C, *out]`` that were seen ``[B, 1, *out]``."""
    if mode == "linear":
        return (parts * seen).sum(dim=0, keepdim=True) / seen.sum(dim=0, keepdim=True).clamp(min=1)
    order = torch.arange(1, len(parts) + 1, device=parts.device).view(-1, *[1] * (parts.ndim - 1))
    last = (seen * order).argmax(dim=0, keepdim=True)
    return parts.gather(0, last.expand(1, *parts.shape[1:]))
