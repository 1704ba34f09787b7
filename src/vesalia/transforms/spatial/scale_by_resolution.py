"""ScaleByResolution: to a voxel spacing in mm."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, SpacingMM
from vesalia.transforms.base import Deterministic, Invertible, Nothing, field_names
from vesalia.transforms.spatial.resizing import (
    resize_fields,
    resize_fields_back,
    shape_at_spacing,
    target_spacing_mm,
)

__all__ = ["ScaleByResolution"]


class ScaleByResolution(Deterministic, Invertible[Nothing]):
    """Resamples to a spacing, in the stored axis order; the field of view stays what it was.

    The new size is ``round(size * spacing / target_resolution)``, at least 1, so the spacing reached differs from the
    one asked for by the rounding; the affine says what it is.

    Args:
        fields: The fields to resample.
        target_resolution: Spacing in mm, one number per axis or one for all.
        is_label: Take the nearest value, for label maps; otherwise interpolate linearly.
    """

    takes_whole_numbers = True

    def __init__(self, fields: FieldNames, *, target_resolution: SpacingMM, is_label: bool = False) -> None:
        self.fields = field_names(fields)
        self.target_resolution = target_spacing_mm(target_resolution, name="target_resolution")
        self.is_label = is_label

    def transform(self, sample: Sample) -> Sample:
        """Resample the fields."""
        return resize_fields(sample, self.fields, shape_of=self._shape, is_label=self.is_label)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Resample the fields back to the spacing they had."""
        return resize_fields_back(sample, self.fields, like=like, is_label=self.is_label)

    def _shape(self, volume: Volume) -> tuple[int, ...]:
        return shape_at_spacing(volume, self.target_resolution, name="target_resolution")
