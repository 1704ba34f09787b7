"""How the axes of one grid read those of another where each follows one: positions along an axis, without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["TOLERANCE_VOXELS", "AxisStep", "axis_steps"]

TOLERANCE_VOXELS: Final = 1e-3
"""Positions closer than this are the same: NIfTI stores affines as float32."""


@dataclass(frozen=True, slots=True)
class AxisStep:
    """How one target axis reads one source axis: voxel ``k`` lies at ``scale * k + offset``."""

    source_axis: int
    scale: float
    offset: float
    source_size: int
    target_size: int

    @classmethod
    def resizing(cls, axis: int, *, old: int, new: int) -> AxisStep:
        """The step that divides the same field of view into ``new`` voxels."""
        return cls(axis, old / new, (old / new - 1) / 2, old, new)

    @property
    def keeps_field_of_view(self) -> bool:
        """Whether the outer edges of the first and last voxel are the same on both grids, perhaps swapped."""
        ends = [self.scale * end + self.offset for end in (-0.5, self.target_size - 0.5)]
        edges = [-0.5, self.source_size - 0.5]
        return bool(np.allclose(sorted(ends), edges, rtol=0, atol=TOLERANCE_VOXELS))

    def inside(self) -> tuple[int, int, npt.NDArray[np.float64]]:
        """Target voxels before the field of view, after it, and the clamped positions of those within."""
        places = self.scale * np.arange(self.target_size, dtype=np.float64) + self.offset
        edge = 0.5 + TOLERANCE_VOXELS
        within = np.flatnonzero((places >= -edge) & (places <= self.source_size - 1 + edge))
        if not len(within):
            return self.target_size, 0, places[:0]
        before, after = int(within[0]), self.target_size - 1 - int(within[-1])
        return before, after, places[within].clip(0, self.source_size - 1)


def axis_steps(
    matrix: npt.NDArray[np.float64], offset: npt.NDArray[np.float64], *, source: Sequence[int], target: Sequence[int]
) -> list[AxisStep] | None:
    """One step per target axis where each follows one source axis; None where the axes are oblique to each other."""
    axes = [int(np.argmax(np.abs(column))) for column in matrix.T]
    if len(set(axes)) != len(axes):
        return None
    drift = np.abs(matrix) @ np.diag([size - 1.0 for size in target])
    for axis, source_axis in enumerate(axes):
        drift[source_axis, axis] = 0.0
    if drift.sum(axis=1).max() > TOLERANCE_VOXELS:
        return None
    return [
        AxisStep(source_axis, float(matrix[source_axis, axis]), float(offset[source_axis]), source[source_axis], size)
        for axis, (source_axis, size) in enumerate(zip(axes, target, strict=True))
    ]
