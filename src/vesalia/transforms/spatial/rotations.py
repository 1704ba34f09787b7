"""Rotations: rigid ones by any angle, and quarter turns that move whole voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.transforms.spatial.affine_sampling import about_centre

__all__ = ["PLANES", "QuarterTurns", "Rotations", "rigid_matrices"]

PLANES = ((1, 2), (2, 0), (0, 1))
"""The axes that change when a volume is turned around axis 0, 1 or 2."""


@dataclass(frozen=True, slots=True)
class Rotations:
    """Rotations about the middle, rigid in mm.

    Attributes:
        angles: ``[B, 3]`` radians around each axis, or ``[B, 1]`` in the plane of the first two.
    """

    angles: torch.Tensor

    def matrices(self, shape: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """``[B, dims, dims + 1]``, see :class:`vesalia.transforms.spatial.affine_sampling.AffineMaps`."""
        return about_centre(rigid_matrices(self.angles, spacing_mm), shape)


@dataclass(frozen=True, slots=True)
class QuarterTurns:
    """Turns by 90 degrees about the middle, voxel onto voxel.

    Attributes:
        axes: ``[B]`` the axis to turn around; 2 in 2D.
        turns: ``[B]`` how often, 0 to 3.
    """

    axes: torch.Tensor
    turns: torch.Tensor

    def matrices(self, shape: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """``[B, dims, dims + 1]``, whole numbers where the axes that change places are equally long."""
        around = torch.nn.functional.one_hot(self.axes, 3).double()
        angles = around * (self.turns.double() * (torch.pi / 2)).unsqueeze(1)
        angles = angles if len(shape) == 3 else angles[:, 2:]
        return about_centre(rigid_matrices(angles, (1.0,) * len(shape)).round(), shape)


def rigid_matrices(angles: torch.Tensor, spacing_mm: Sequence[float]) -> torch.Tensor:
    """``[B, dims, dims]`` in float64, voxels to voxels: turns around the axes one after the other, rigid in mm.

    Args:
        angles: ``[B, 3]`` radians around each axis. In 2D, and in a volume whose first two axes alone turn, ``[B, 1]``.
        spacing_mm: Edge lengths of a voxel, which say how many dimensions there are.
    """
    dims = len(spacing_mm)
    angles = angles.double()
    planes = PLANES if angles.shape[1] == 3 else ((0, 1),)
    turned = torch.eye(dims, dtype=torch.float64).expand(len(angles), dims, dims)
    for (first, second), angle in zip(planes, angles.unbind(1), strict=True):
        turn = torch.eye(dims, dtype=torch.float64).repeat(len(angles), 1, 1)
        turn[:, first, first] = turn[:, second, second] = torch.cos(angle)
        turn[:, second, first] = torch.sin(angle)
        turn[:, first, second] = -torch.sin(angle)
        turned = turned @ turn
    spacing = torch.tensor(list(spacing_mm), dtype=torch.float64)
    return turned * spacing[None, None, :] / spacing[None, :, None]
