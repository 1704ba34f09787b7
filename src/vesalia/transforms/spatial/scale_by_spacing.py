"""ScaleBySpacing: to a voxel spacing in mm, under the name of the other of v3's two."""

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

__all__ = ["ScaleBySpacing"]


class ScaleBySpacing(Deterministic, Invertible[Nothing]):
    """Resamples to a spacing, in the stored axis order; the field of view stays what it was.

    The new size is ``round(size * spacing / target_spacing)``, at least 1, as ScaleByResolution has it; the affine says
    which spacing was reached.

    Args:
        fields: The fields to resample.
        target_spacing: Spacing in mm, one number per axis or one for all.
        is_label: Take the nearest value; false interpolates linearly. Without it a field is a label if its name begins
            with ``label``, ``mask`` or ``seg``, or if it holds whole numbers and is not named ``image``.
    """

    def __init__(self, fields: FieldNames, *, target_spacing: SpacingMM, is_label: bool | None = None) -> None:
        self.fields = field_names(fields)
        self.target_spacing = target_spacing_mm(target_spacing, name="target_spacing")
        self.is_label = is_label

    def transform(self, sample: Sample) -> Sample:
        """Resample the fields."""
        return resize_fields(sample, self.fields, shape_of=self._shape, is_label=self.is_label)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Resample the fields back to the spacing they had."""
        return resize_fields_back(sample, self.fields, like=like, is_label=self.is_label)

    def _shape(self, volume: Volume) -> tuple[int, ...]:
        return shape_at_spacing(volume, self.target_spacing, name="target_spacing")
