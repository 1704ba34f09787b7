"""RandomGaussianSmooth: a blur of random width."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, NonNegative, Probability
from vesalia.transforms.base import Transform, change_fields, field_names
from vesalia.transforms.parameters import between, bounds_of, chance

__all__ = ["RandomGaussianSmooth", "Widths"]


@dataclass(frozen=True, slots=True)
class Widths:
    """How much each member is blurred.

    Attributes:
        sigmas: ``[B, dims]``, standard deviations in voxels; 0 leaves an axis as it is.
    """

    sigmas: torch.Tensor


class RandomGaussianSmooth(Transform[Widths]):
    """Blurs with a Gaussian, another one for every crop and axis; all channels alike.

    Beyond its border an image goes on as it ends there.

    Args:
        fields: The fields to blur; all by the same draw.
        sigma: Standard deviation in voxels, or the lower and the upper bound that it is drawn between, axis by axis.
        probability: How often.

    Raises:
        ConfigError: ``sigma`` is not one number from 0 upwards, or two.
    """

    def __init__(
        self,
        fields: FieldNames,
        *,
        sigma: NonNegative | Sequence[float] = (0.25, 1.5),
        probability: Probability = 0.5,
    ) -> None:
        self.fields = field_names(fields)
        self.sigma = bounds_of(sigma, name="sigma", least=0.0)
        self.probability = probability

    def draw(self, sample: Sample, generator: torch.Generator) -> Widths:
        """Throw the widths for every member."""
        first = sample[self.fields[0]]
        members, dims = len(first.as_batch()), len(first.spatial_shape)
        whether = chance(members, generator, probability=self.probability)
        return Widths(between((members, dims), generator, bounds=self.sigma) * whether[:, None])

    def apply(self, sample: Sample, parameters: Widths) -> Sample:
        """Blur the fields."""
        return change_fields(sample, self.fields, change=lambda volume: _blur(volume, parameters.sigmas))


def _blur(volume: Volume, sigmas: torch.Tensor) -> Volume:
    if not bool(sigmas.any()):
        return volume
    batch = volume.as_float_batch()
    for axis, sigma in enumerate(sigmas.to(batch.device).unbind(dim=1), start=2):
        weights = _weights(batch.shape[axis], sigma).to(batch.dtype)
        lines = batch.movedim(axis, -1)
        flat = lines.reshape(len(lines), -1, lines.shape[-1]) @ weights.mT
        batch = flat.view(lines.shape).movedim(-1, axis)
    return volume.from_batch(batch)


def _weights(size: int, sigma: torch.Tensor) -> torch.Tensor:
    """``[B, size, size]``: how much each voxel of a line gives to each; a row sums to 1.

    What a voxel gives is the Gaussian's share between its two edges; the outermost ones stand for all beyond them.
    """
    edges = torch.arange(1, size, device=sigma.device) - 0.5
    centres = torch.arange(size, device=sigma.device)
    distance = (edges - centres[:, None]) / sigma.clamp_min(1e-6).view(-1, 1, 1)
    below = torch.special.ndtr(distance.double())
    return torch.nn.functional.pad(below, (1, 0)).neg_().add_(torch.nn.functional.pad(below, (0, 1), value=1.0))
