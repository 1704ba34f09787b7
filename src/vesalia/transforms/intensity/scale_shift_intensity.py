"""ScaleShiftIntensity: another contrast and another brightness."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, NonNegative, Probability
from vesalia.transforms.base import Transform, change_fields, field_names
from vesalia.transforms.fusion.work import Fusible, Work
from vesalia.transforms.intensity.deviation import deviation
from vesalia.transforms.parameters import chance, uniform

__all__ = ["Contrast", "ScaleShiftIntensity"]


@dataclass(frozen=True, slots=True)
class Contrast:
    """How values change.

    Attributes:
        scales: ``[B, C]``, what values are multiplied with.
        shifts: ``[B, C]``, what is added, in standard deviations of the channel.
    """

    scales: torch.Tensor
    shifts: torch.Tensor


class ScaleShiftIntensity(Transform[Contrast], Fusible[Contrast]):
    """Multiplies by ``1 + U(-scale, scale)`` and adds ``U(-shift, shift)`` standard deviations, per crop and channel.

    Source: Myronenko, 2018, arXiv:1810.11654, section 3.3.

    Args:
        fields: The fields to change; all by the same draw.
        scale: Largest relative change of the contrast.
        shift: Largest change of the brightness, in standard deviations of the channel.
        probability: How often.
    """

    def __init__(
        self,
        fields: FieldNames,
        *,
        scale: NonNegative = 0.1,
        shift: NonNegative = 0.1,
        probability: Probability = 1.0,
    ) -> None:
        self.fields = field_names(fields)
        self.scale = scale
        self.shift = shift
        self.probability = probability

    def draw(self, sample: Sample, generator: torch.Generator) -> Contrast:
        """Throw for every member and channel."""
        shapes = [sample[name].as_batch().shape for name in self.fields]
        members, channels = shapes[0][0], max(shape[1] for shape in shapes)
        whether = chance(members, generator, probability=self.probability)[:, None]
        scales = 1 + uniform((members, channels), generator, reach=self.scale) * whether
        return Contrast(scales, uniform((members, channels), generator, reach=self.shift) * whether)

    def apply(self, sample: Sample, parameters: Contrast) -> Sample:
        """Change the fields."""
        return change_fields(sample, self.fields, change=lambda volume: _change(volume, parameters))

    def fuse(self, work: Work, parameters: Contrast) -> None:
        """Change the fields."""
        for name in self.fields:
            channels = work.pending(name).channels
            scales, shifts = (each.numpy()[:, :channels] for each in (parameters.scales, parameters.shifts))
            if shifts.any():
                shifts = shifts * deviation(work.settle(name)).cpu().numpy()
            work.change([name], lambda pending, scales=scales, shifts=shifts: pending.scaled(scales, shifts))  # type: ignore[misc]


def _change(volume: Volume, contrast: Contrast) -> Volume:
    batch = volume.as_float_batch()
    ones = [1] * (batch.ndim - 2)
    scales, shifts = (each[:, : batch.shape[1]].to(batch) for each in (contrast.scales, contrast.shifts))
    if bool(shifts.any()):
        shifts = shifts * deviation(batch).to(batch)
    return volume.from_batch(torch.addcmul(shifts.view(*shifts.shape, *ones), batch, scales.view(*scales.shape, *ones)))
