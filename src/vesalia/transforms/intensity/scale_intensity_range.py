"""ScaleIntensityRange: from one range of values to another."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, Nothing, change_fields, field_names
from vesalia.transforms.fusion.work import Fusible, Work

__all__ = ["ScaleIntensityRange"]

_TYPES = {"float16": torch.float16, "float32": torch.float32, "float64": torch.float64}


class ScaleIntensityRange(Deterministic, Fusible[Nothing]):
    """Maps ``a_min`` to ``b_min`` and ``a_max`` to ``b_max``, linearly; the window of a CT, for one.

    Args:
        fields: The fields to scale.
        a_min: Lower end of the range of the data (HU in a CT).
        a_max: Upper end of the range of the data.
        b_min: What ``a_min`` becomes.
        b_max: What ``a_max`` becomes.
        clip: Also cut off what lies outside.
        dtype: The type of the result.
        a_offset: Length of the range of the data, in place of ``a_max``.
    """

    takes_whole_numbers = True
    per_voxel = True

    def __init__(
        self,
        fields: FieldNames,
        *,
        a_min: float,
        a_max: float | None = None,
        b_min: float = 0.0,
        b_max: float = 1.0,
        clip: bool = False,
        dtype: Literal["float16", "float32", "float64"] = "float32",
        a_offset: float | None = None,
    ) -> None:
        self.fields = field_names(fields)
        self.a_min = a_min
        self.a_max = _upper_end(a_min, a_max, a_offset)
        self.b_min = b_min
        self.b_max = b_max
        self.clip = clip
        self.dtype = dtype
        self.a_offset = a_offset

    def transform(self, sample: Sample) -> Sample:
        """Scale the fields."""
        return change_fields(sample, self.fields, change=self._scale)

    def _scale(self, volume: Volume) -> Volume:
        work = torch.float64 if self.dtype == "float64" else torch.float32
        factor = (self.b_max - self.b_min) / (self.a_max - self.a_min)
        data = volume.data.to(work).sub(self.a_min).mul_(factor).add_(self.b_min)
        if self.clip:
            data = data.clamp_(min(self.b_min, self.b_max), max(self.b_min, self.b_max))
        return replace(volume, data=data.to(_TYPES[self.dtype]))

    @property
    def fusible(self) -> bool:
        """Float32 is what fused steps compute in."""
        return self.dtype == "float32"

    def fuse(self, work: Work, parameters: Nothing) -> None:
        """Scale the fields."""
        factor = (self.b_max - self.b_min) / (self.a_max - self.a_min)
        shift = self.b_min - self.a_min * factor
        work.change(self.fields, lambda pending: pending.scaled(factor, shift, dtype=torch.float32))
        if self.clip:
            low, high = min(self.b_min, self.b_max), max(self.b_min, self.b_max)
            work.change(self.fields, lambda pending: pending.clamped(low, high))


def _upper_end(a_min: float, a_max: float | None, a_offset: float | None) -> float:
    if a_offset is not None:
        if a_max is not None and a_max != a_min + a_offset:
            message = f"a_offset: found a_max {a_max} and a_offset {a_offset}, expected one of the two"
            raise ConfigError(f"{message}; leave out a_offset")
        a_max = a_min + a_offset
    if a_max is None:
        raise ConfigError("a_max: found neither a_max nor a_offset, expected the upper end of the range; write a_max")
    if a_max == a_min:
        raise ConfigError(f"a_max: found {a_max}, the same as a_min, expected a range; write a larger a_max")
    return a_max
