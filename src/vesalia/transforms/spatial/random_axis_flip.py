"""RandomAxisFlip: one axis, chosen at random, reversed now and then."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames, Probability
from vesalia.transforms.base import Invertible, Transform, change_fields, field_names, members_of
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import chance
from vesalia.transforms.spatial.flips import Flips, flip, flip_back

__all__ = ["RandomAxisFlip"]


class RandomAxisFlip(Transform[Flips], Invertible[Flips], Fusible[Flips]):
    """Reverses one axis with the given probability, the same for all fields, another for every crop of a batch.

    Args:
        fields: The fields to flip together.
        probability: How often; each axis is then as likely as the others.
    """

    def __init__(self, fields: FieldNames, *, probability: Probability = 0.5) -> None:
        self.fields = field_names(fields)
        self.probability = probability

    def draw(self, sample: Sample, generator: torch.Generator) -> Flips:
        """Throw for every member: whether, and which axis."""
        members, shape = members_of(sample, self.fields)
        whether = chance(members, generator, probability=self.probability)
        which = torch.randint(len(shape), (members,), generator=generator)
        return Flips(torch.nn.functional.one_hot(which, len(shape)).bool() & whether[:, None])

    def apply(self, sample: Sample, parameters: Flips) -> Sample:
        """Flip all fields alike."""
        return change_fields(sample, self.fields, change=lambda volume: flip(volume, parameters))

    def fuse(self, work: Work, parameters: Flips) -> None:
        """Flip all fields alike."""
        work.change(self.fields, lambda pending: pending.flipped(parameters.axes))

    def invert(self, sample: Sample, parameters: Flips, *, like: Sample) -> Sample:
        """Flip all fields back."""
        back = {name: flip_back(sample[name], parameters, like=like[name]) for name in self.fields}
        return sample.with_fields(**back)
