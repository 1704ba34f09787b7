"""Where voxels lie: affines, spacings and grids.

An affine maps a voxel index (i, j, k, 1) to millimetres in RAS: x grows towards the patient's right, y towards
anterior, z towards superior, as NIfTI-1 and nibabel have it. Voxel (0, 0, 0) is the *centre* of the first voxel.

A 2D image uses the first two columns of the affine; the third says how thick the plane is.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

__all__ = [
    "Affine",
    "Grid",
    "crop_affine",
    "flip_affine",
    "index_map",
    "permute_affine",
    "resize_affine",
    "spacing_mm",
]

Affine = npt.NDArray[np.float64]


def spacing_mm(affine: Affine, *, dims: int = 3) -> tuple[float, ...]:
    """Edge lengths of a voxel in mm: the norms of the affine's columns."""
    return tuple(float(length) for length in np.linalg.norm(affine[:3, :3], axis=0)[:dims])


def crop_affine(affine: Affine, start: Sequence[int]) -> Affine:
    """The affine of a crop whose voxel 0 was voxel ``start`` (negative after padding)."""
    moved = np.array(affine)
    offset = np.zeros(3)
    offset[: len(start)] = start
    moved[:3, 3] += affine[:3, :3] @ offset
    return moved


def flip_affine(affine: Affine, axes: Sequence[int], *, shape: Sequence[int]) -> Affine:
    """The affine after the data was reversed along ``axes`` of a grid of ``shape``."""
    flip = np.eye(4)
    for axis in axes:
        flip[axis, axis] = -1.0
        flip[axis, 3] = shape[axis] - 1
    return np.asarray(affine @ flip)


def permute_affine(affine: Affine, order: Sequence[int]) -> Affine:
    """The affine after the axes were put in ``order``: new axis ``n`` was axis ``order[n]``."""
    columns = [*order, *range(len(order), 4)]
    return np.asarray(affine[:, columns])


def resize_affine(affine: Affine, old_shape: Sequence[int], *, new_shape: Sequence[int]) -> Affine:
    """The affine after the field of view was divided into ``new_shape`` voxels.

    Voxel *edges* coincide (as ``align_corners=False`` has it), so voxel 0's centre moves by half the difference.
    """
    scale = np.eye(4)
    for axis, (old, new) in enumerate(zip(old_shape, new_shape, strict=True)):
        factor = old / new
        scale[axis, axis] = factor
        scale[axis, 3] = (factor - 1) / 2
    return np.asarray(affine @ scale)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A spatial shape and the affine that places it.

    Attributes:
        shape: Voxels per axis.
        affine: 4x4, voxel index to mm in RAS.
    """

    shape: tuple[int, ...]
    affine: Affine

    @property
    def spacing_mm(self) -> tuple[float, ...]:
        """Edge lengths of a voxel in mm, in axis order."""
        return spacing_mm(self.affine, dims=len(self.shape))

    def corners_mm(self) -> npt.NDArray[np.float64]:
        """Centres of the corner voxels in mm (RAS), one a row."""
        ends = [(0, size - 1) for size in self.shape] + [(0, 0)] * (3 - len(self.shape))
        corners = np.array(list(product(*ends)), dtype=np.float64)
        return np.asarray(corners @ self.affine[:3, :3].T + self.affine[:3, 3])

    def matches(self, other: Grid, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same voxels: equal shapes, corners within ``tolerance_mm`` of each other."""
        if self.shape != other.shape:
            return False
        near = np.allclose(self.corners_mm(), other.corners_mm(), rtol=0, atol=tolerance_mm)
        return bool(near and np.allclose(self.affine, other.affine, rtol=0, atol=tolerance_mm))


def index_map(source: Grid, target: Grid) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What takes a voxel index of ``target`` to a (fractional) voxel index of ``source``.

    Returns:
        A matrix ``[dims, dims]`` and an offset ``[dims]``: ``source_index = matrix @ target_index + offset``.
    """
    dims = len(source.shape)
    whole: Affine = np.linalg.solve(source.affine, target.affine).astype(np.float64)
    return whole[:dims, :dims], whole[:dims, 3]
