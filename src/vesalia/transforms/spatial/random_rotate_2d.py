"""RandomRotate2D: a turn in the plane, by one angle or by any up to it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import torch

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames, Probability
from vesalia.transforms.base import Invertible, Transform, field_names, members_of
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import chance, uniform
from vesalia.transforms.spatial.affine_sampling import move, move_back
from vesalia.transforms.spatial.reading_mode import reading_modes
from vesalia.transforms.spatial.rotations import Rotations

__all__ = ["RandomRotate2D"]


class RandomRotate2D(Transform[Rotations], Invertible[Rotations], Fusible[Rotations]):
    """Turns about the middle in the plane of the first two spatial axes, in a volume every slice alike.

    The turn is rigid in mm (crops in a batch do not know their spacing: theirs counts as 1), the size stays, and what
    comes in from outside is 0. Images are read linearly; a field is a label, read by the nearest voxel, if its name
    begins with ``label``, ``mask`` or ``seg``, or if it holds whole numbers and is not named ``image``.

    Args:
        fields: The fields to turn, all alike.
        angle: Degrees. With ``is_random`` the largest turn either way, else the turn itself, from the first axis
            towards the second.
        is_random: Draw the angle anew each time; otherwise the result is always the same and can be cached.
        probability: How often a random turn is done at all.
    """

    def __init__(
        self, fields: FieldNames, *, angle: float, is_random: bool = False, probability: Probability = 1.0
    ) -> None:
        self.fields = field_names(fields)
        self.angle = angle
        self.is_random = is_random
        self.probability = probability
        self.deterministic = not is_random

    def draw(self, sample: Sample, generator: torch.Generator) -> Rotations:
        """An angle per batch member."""
        members, _ = members_of(sample, self.fields)
        largest = math.radians(self.angle)
        if not self.is_random:
            return Rotations(torch.full((members, 1), largest, dtype=torch.float64))
        angles = uniform((members, 1), generator, reach=largest)
        return Rotations(angles * chance(members, generator, probability=self.probability).unsqueeze(1))

    def apply(self, sample: Sample, parameters: Rotations) -> Sample:
        """Turn all fields alike."""
        return move(sample, parameters, modes=reading_modes(sample, self.fields))

    @property
    def resamples(self) -> bool:
        """It reads between voxels."""
        return True

    def fuse(self, work: Work, parameters: Rotations) -> None:
        """Turn all fields alike."""
        work.move(reading_modes(work.stand_in(), self.fields), parameters)

    def invert(self, sample: Sample, parameters: Rotations, *, like: Sample) -> Sample:
        """Turn all fields back; corners that had left the image are 0."""
        return move_back(sample, parameters, modes=reading_modes(sample, self.fields), like=like)
