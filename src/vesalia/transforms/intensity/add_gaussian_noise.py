"""AddGaussianNoise: normally distributed noise of a given variance."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, NonNegative, Probability
from vesalia.transforms.base import Transform, field_names
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.parameters import chance

__all__ = ["AddGaussianNoise", "NoiseSeeds"]

_SEEDS = 2**62


@dataclass(frozen=True, slots=True)
class NoiseSeeds:
    """Where the noise starts from; a seed is small and gives the same noise on every device.

    Attributes:
        whether: ``[B]`` booleans, which members get noise.
        seeds: ``[B]``, a seed for each.
    """

    whether: torch.Tensor
    seeds: torch.Tensor


class AddGaussianNoise(Transform[NoiseSeeds], Fusible[NoiseSeeds]):
    """Adds noise with mean 0 to every voxel.

    Args:
        fields: The fields to change, each with noise of its own.
        probability: How often.
        variance: Variance of the noise (not its standard deviation), in squared units of the data.
    """

    def __init__(self, fields: FieldNames, *, probability: Probability = 0.5, variance: NonNegative = 0.1) -> None:
        self.fields = field_names(fields)
        self.probability = probability
        self.variance = variance

    def draw(self, sample: Sample, generator: torch.Generator) -> NoiseSeeds:
        """Throw a seed for every member."""
        members = len(sample[self.fields[0]].as_batch())
        whether = chance(members, generator, probability=self.probability)
        return NoiseSeeds(whether, torch.randint(_SEEDS, (members,), generator=generator))

    def apply(self, sample: Sample, parameters: NoiseSeeds) -> Sample:
        """Add the noise."""
        noisy = {name: self._add(sample[name], parameters, position) for position, name in enumerate(self.fields)}
        return sample.with_fields(**noisy)

    def fuse(self, work: Work, parameters: NoiseSeeds) -> None:
        """Add the noise where it is wanted, in place."""
        if not bool(parameters.whether.any()):
            return
        work.change(self.fields, lambda pending: pending.scaled(1.0, 0.0))  # whole numbers become float32 first
        for position, name in enumerate(self.fields):
            self._add_to(work.settle(name), parameters, position)

    def _add(self, volume: Volume, parameters: NoiseSeeds, position: int) -> Volume:
        if not bool(parameters.whether.any()):
            return volume
        batch = volume.as_batch()
        noisy = batch.clone() if batch.is_floating_point() else batch.float()
        self._add_to(noisy, parameters, position)
        return volume.from_batch(noisy)

    def _add_to(self, batch: torch.Tensor, parameters: NoiseSeeds, position: int) -> None:
        deviation = math.sqrt(self.variance)
        for member, seed, whether in zip(batch, parameters.seeds.tolist(), parameters.whether.tolist(), strict=True):
            if whether:
                start = torch.Generator().manual_seed(seed + position)
                noise = torch.empty(member.shape).normal_(0.0, deviation, generator=start)
                member.add_(noise.to(member))
