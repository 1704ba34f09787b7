"""ScaleIntensityOscillation: a little brighter or darker as a whole."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, NonNegative, Probability
from vesalia.transforms.base import Transform, change_fields, field_names
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import chance, uniform

__all__ = ["Offsets", "ScaleIntensityOscillation"]


@dataclass(frozen=True, slots=True)
class Offsets:
    """What is added.

    Attributes:
        values: ``[B]``, one constant per member.
    """

    values: torch.Tensor


class ScaleIntensityOscillation(Transform[Offsets], Fusible[Offsets]):
    """Adds one constant from ``[-magnitude, magnitude]`` to all voxels of a crop.

    Args:
        fields: The fields to change; all by the same constant.
        magnitude: Largest constant, in the units of the data.
        probability: How often.
    """

    def __init__(self, fields: FieldNames, *, magnitude: NonNegative, probability: Probability = 0.5) -> None:
        self.fields = field_names(fields)
        self.magnitude = magnitude
        self.probability = probability

    def draw(self, sample: Sample, generator: torch.Generator) -> Offsets:
        """Throw a constant for every member."""
        members = len(sample[self.fields[0]].as_batch())
        whether = chance(members, generator, probability=self.probability)
        return Offsets(uniform((members,), generator, reach=self.magnitude) * whether)

    def apply(self, sample: Sample, parameters: Offsets) -> Sample:
        """Add the constants."""
        return change_fields(sample, self.fields, change=lambda volume: _add(volume, parameters.values))

    def fuse(self, work: Work, parameters: Offsets) -> None:
        """Add the constants."""
        shift = parameters.values.double()[:, None]
        work.change(self.fields, lambda pending: pending.scaled(1.0, shift))


def _add(volume: Volume, values: torch.Tensor) -> Volume:
    if not bool(values.any()):
        return volume
    batch = volume.as_float_batch()
    return volume.from_batch(batch + values.to(batch).view(-1, *[1] * (batch.ndim - 1)))
