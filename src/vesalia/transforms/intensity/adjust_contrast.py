"""AdjustContrast: a gamma change of the intensities."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, Positive, Probability
from vesalia.transforms.base import Transform, change_fields, field_names
from vesalia.transforms.parameters import between, bounds_of, chance

__all__ = ["AdjustContrast", "Exponents"]


@dataclass(frozen=True, slots=True)
class Exponents:
    """The gamma of each member.

    Attributes:
        values: ``[B]``; 1 leaves a member as it is.
    """

    values: torch.Tensor


class AdjustContrast(Transform[Exponents]):
    """``((x - min) / (max - min)) ** gamma * (max - min) + min``, per crop and channel.

    With one gamma and a probability of 1 there is nothing to throw: the result can be cached.

    Args:
        fields: The fields to change; all by the same gamma.
        gamma: The exponent, or the lower and the upper bound that it is drawn between.
        probability: How often.

    Raises:
        ConfigError: ``gamma`` is not one number above 0, or two.
    """

    def __init__(
        self, fields: FieldNames, *, gamma: Positive | Sequence[float] = (0.5, 4.5), probability: Probability = 0.5
    ) -> None:
        self.fields = field_names(fields)
        self.gamma = bounds_of(gamma, name="gamma", least=torch.finfo(torch.float32).eps)
        self.probability = probability
        self.deterministic = probability == 1 and self.gamma[0] == self.gamma[1]

    def draw(self, sample: Sample, generator: torch.Generator) -> Exponents:
        """Throw a gamma for every member."""
        members = len(sample[self.fields[0]].as_batch())
        whether = chance(members, generator, probability=self.probability)
        return Exponents(torch.where(whether, between((members,), generator, bounds=self.gamma), 1.0))

    def apply(self, sample: Sample, parameters: Exponents) -> Sample:
        """Change the fields."""
        return change_fields(sample, self.fields, change=lambda volume: _change(volume, parameters.values))


def _change(volume: Volume, exponents: torch.Tensor) -> Volume:
    if bool((exponents == 1).all()):
        return volume
    batch = volume.as_float_batch()
    shape = (*batch.shape[:2], *[1] * (batch.ndim - 2))
    low, high = (bound.view(shape) for bound in batch.flatten(2).aminmax(dim=-1))
    reach = high - low
    gamma = exponents.to(batch).view(-1, *[1] * (batch.ndim - 1))
    share = (batch - low).div_(torch.where(reach > 0, reach, 1.0))
    changed = share.log_().mul_(gamma).exp_().mul_(reach).add_(low)  # a power, in a quarter of its time
    return volume.from_batch(torch.where(gamma == 1, batch, changed) if bool((exponents == 1).any()) else changed)
