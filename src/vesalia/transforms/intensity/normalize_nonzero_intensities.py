"""NormalizeNonzeroIntensities: mean 0 and standard deviation 1 over the voxels that are not 0."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["NormalizeNonzeroIntensities"]


class NormalizeNonzeroIntensities(Deterministic):
    """Subtracts the mean and divides by the standard deviation of the non-zero voxels, per channel; zeros stay 0.

    A channel of one value only becomes 0; an empty one stays as it is.

    Args:
        fields: The fields to normalise.
    """

    takes_whole_numbers = True

    def __init__(self, fields: FieldNames) -> None:
        self.fields = field_names(fields)

    def transform(self, sample: Sample) -> Sample:
        """Normalise the fields."""
        return change_fields(sample, self.fields, change=_normalise)


def _normalise(volume: Volume) -> Volume:
    batch = volume.as_float_batch()
    axes = tuple(range(2, batch.ndim))
    mask = batch != 0
    count = mask.sum(dim=axes, keepdim=True).clamp_(min=1)
    mean = batch.sum(dim=axes, keepdim=True) / count
    centred = torch.where(mask, batch - mean, 0.0)
    deviation = (centred.square().sum(dim=axes, keepdim=True) / count).sqrt_()
    return volume.from_batch(centred / torch.where(deviation > 0, deviation, 1.0))
