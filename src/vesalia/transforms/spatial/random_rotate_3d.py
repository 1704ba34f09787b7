"""RandomRotate3D: quarter turns of whole voxels, or free turns around each axis."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames, Probability
from vesalia.transforms.base import Invertible, Transform, field_names, members_of
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import chance, uniform
from vesalia.transforms.spatial.affine_sampling import move, move_back
from vesalia.transforms.spatial.reading_mode import reading_modes
from vesalia.transforms.spatial.rotations import PLANES, QuarterTurns, Rotations

__all__ = ["RandomRotate3D"]


_Turns: TypeAlias = QuarterTurns | Rotations


class RandomRotate3D(Transform[_Turns], Invertible[_Turns], Fusible[_Turns]):
    """Turns volumes now and then, the same for all fields, anew for every crop of a batch.

    Without ``angle`` it turns by 90, 180 or 270 degrees around a random axis; no voxel is interpolated. The size stays:
    where the two axes that would change places differ in length, it is 180 degrees. With ``angle`` it turns freely
    around each axis, rigidly in mm (the spacing of crops in a batch counts as 1), and what comes in from outside is 0;
    images are read linearly, labels by the nearest voxel (for what counts as a label see RandomRotate2D). 2D images
    turn in their plane.

    Args:
        fields: The fields to turn, all alike.
        probability: How often.
        angle: The largest free turn in degrees, one number or one per axis.
    """

    def __init__(
        self, fields: FieldNames, *, probability: Probability = 0.5, angle: float | Sequence[float] | None = None
    ) -> None:
        angles = tuple(angle) if isinstance(angle, Sequence) else (angle,) if angle is not None else ()
        if angle is not None and len(angles) not in {1, 3}:
            raise ConfigError(f"angle: found {list(angles)}, expected one number or three (degrees); write 15")
        self.fields = field_names(fields)
        self.probability = probability
        self.angle = angle
        self._reach = torch.deg2rad(torch.tensor(angles * (3 // len(angles)))) if angles else None

    def draw(self, sample: Sample, generator: torch.Generator) -> QuarterTurns | Rotations:
        """Throw for every member: whether, and how."""
        members, shape = members_of(sample, self.fields)
        whether = chance(members, generator, probability=self.probability)
        if self._reach is not None:
            angles = uniform((members, 3), generator, reach=1.0) * self._reach * whether.unsqueeze(1)
            return Rotations(angles if len(shape) == 3 else angles[:, 2:])
        return self._quarter_turns(shape, whether, generator)

    def apply(self, sample: Sample, parameters: QuarterTurns | Rotations) -> Sample:
        """Turn all fields alike."""
        return move(sample, parameters, modes=reading_modes(sample, self.fields))

    @property
    def resamples(self) -> bool:
        """It reads between voxels."""
        return True

    def fuse(self, work: Work, parameters: QuarterTurns | Rotations) -> None:
        """Turn all fields alike."""
        work.move(reading_modes(work.stand_in(), self.fields), parameters)

    def invert(self, sample: Sample, parameters: QuarterTurns | Rotations, *, like: Sample) -> Sample:
        """Turn all fields back; quarter turns to the bit."""
        return move_back(sample, parameters, modes=reading_modes(sample, self.fields), like=like)

    @staticmethod
    def _quarter_turns(shape: Sequence[int], whether: torch.Tensor, generator: torch.Generator) -> QuarterTurns:
        axes = range(3) if len(shape) == 3 else (2,)
        square = [axis for axis in axes if shape[PLANES[axis][0]] == shape[PLANES[axis][1]]]
        choice = torch.tensor(square or list(axes))
        which = torch.randint(len(choice), whether.shape, generator=generator)
        turns = torch.randint(1, 4, whether.shape, generator=generator)
        return QuarterTurns(choice[which], (turns if square else torch.full_like(turns, 2)) * whether)
