"""SymmetricPadderDiv: zeros on both sides until the size can be divided."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch.nn.functional as F

from vesalia.errors import ConfigError
from vesalia.imaging.geometry import crop_affine
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, Invertible, Nothing, change_fields, field_names
from vesalia.transforms.spatial.resizing import per_axis

__all__ = ["SymmetricPadderDiv"]


class SymmetricPadderDiv(Deterministic, Invertible[Nothing]):
    """Pads with 0 on both sides (the odd voxel goes to the end) so that each size is a multiple of ``div_int``.

    Args:
        fields: The fields to pad.
        div_int: The divisor, one for all axes or one per axis.
    """

    takes_whole_numbers = True

    def __init__(self, fields: FieldNames, *, div_int: int | Sequence[int]) -> None:
        divisors = (div_int,) if isinstance(div_int, int) else tuple(div_int)
        if not divisors or min(divisors) < 1:
            raise ConfigError(f"div_int: found {div_int}, expected whole numbers of 1 or more; write 16")
        self.fields = field_names(fields)
        self.div_int = divisors

    def transform(self, sample: Sample) -> Sample:
        """Pad the fields."""
        return change_fields(sample, self.fields, change=self._pad)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Cut the padding off."""
        cut = {}
        for name in self.fields:
            data, before = sample[name].as_batch(), like[name]
            for axis, (first, size) in enumerate(zip(self._sides(before)[0], before.spatial_shape, strict=True)):
                data = data.narrow(axis + 2, first, size)
            cut[name] = replace(sample[name], affine=before.affine).from_batch(data)
        return sample.with_fields(**cut)

    def _pad(self, volume: Volume) -> Volume:
        before, after = self._sides(volume)
        if not any(after):  # the end gets the odd voxel, so it is never behind the beginning
            return volume
        sides = [side for pair in reversed(list(zip(before, after, strict=True))) for side in pair]
        affine = None if volume.affine is None else crop_affine(volume.affine, [-count for count in before])
        return volume.from_batch(F.pad(volume.as_batch(), sides), affine=affine)

    def _sides(self, volume: Volume) -> tuple[list[int], list[int]]:
        """How many voxels are added before and after, per axis."""
        shape = volume.spatial_shape
        divisors = per_axis(self.div_int, len(shape), name="div_int")
        missing = [-size % divisor for size, divisor in zip(shape, divisors, strict=True)]
        return [count // 2 for count in missing], [count - count // 2 for count in missing]
