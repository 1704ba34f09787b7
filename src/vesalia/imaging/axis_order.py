"""Which way voxel axes point, and in which order they come: what turning a volume is, without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import numpy.typing as npt

from vesalia.imaging.geometry import Affine, flip_affine, permute_affine

__all__ = ["Reorientation", "axis_codes", "towards_canonical"]

_DIRECTIONS = ("LR", "PA", "IS")


@dataclass(frozen=True, slots=True)
class Reorientation:
    """Axes put in another order, then some of them reversed.

    Attributes:
        order: New axis ``n`` was axis ``order[n]``.
        flips: The new axes that are reversed afterwards.
    """

    order: tuple[int, ...]
    flips: tuple[int, ...]

    @property
    def inverse(self) -> Reorientation:
        """What undoes this one."""
        order = tuple(self.order.index(axis) for axis in range(len(self.order)))
        return Reorientation(order, tuple(sorted(self.order[axis] for axis in self.flips)))

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        return not self.flips and self.order == tuple(range(len(self.order)))

    def shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The spatial shape afterwards."""
        return tuple(shape[axis] for axis in self.order)

    def affine(self, affine: Affine, shape: Sequence[int]) -> Affine:
        """The affine afterwards, exact: columns move and change sign, nothing is rounded."""
        return flip_affine(permute_affine(affine, self.order), self.flips, shape=self.shape(shape))


def axis_codes(affine: Affine, *, dims: int = 3) -> str:
    """Where each axis points at its end, such as ``"RAS"`` or ``"LPS"``; oblique axes go by the nearest direction."""
    return "".join(_DIRECTIONS[axis][sign > 0] for axis, sign in _directions(affine, dims))


def towards_canonical(affine: Affine, *, dims: int = 3) -> Reorientation:
    """What brings axes as near to R, A, S as reordering and reversing can."""
    now = _directions(affine, dims)
    order = tuple(sorted(range(len(now)), key=lambda axis: now[axis][0]))
    return Reorientation(order, tuple(new for new, axis in enumerate(order) if now[axis][1] < 0))


def _directions(affine: Affine, dims: int) -> list[tuple[int, int]]:
    """World axis (0 x, 1 y, 2 z) and sign of each voxel axis."""
    columns = affine[:, [*range(dims), 3]]
    found: npt.NDArray[np.float64] = nib.orientations.io_orientation(columns)
    return [(int(axis), int(sign)) for axis, sign in found]
