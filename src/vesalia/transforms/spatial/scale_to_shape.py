"""ScaleToShape: to a size in voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, SizeVoxels
from vesalia.transforms.base import Deterministic, Invertible, Nothing, field_names
from vesalia.transforms.spatial.resizing import resize_fields, resize_fields_back

__all__ = ["ScaleToShape"]


class ScaleToShape(Deterministic, Invertible[Nothing]):
    """Divides the field of view into ``target_shape`` voxels, each axis by itself; the affine follows.

    Args:
        fields: The fields to scale.
        target_shape: Voxels of the result, one number per axis.
        is_label: Take the nearest value, for label maps; otherwise interpolate linearly.
    """

    def __init__(self, fields: FieldNames, *, target_shape: SizeVoxels, is_label: bool = False) -> None:
        self.fields = field_names(fields)
        self.target_shape = tuple(target_shape)
        self.is_label = is_label

    def transform(self, sample: Sample) -> Sample:
        """Scale the fields."""
        return resize_fields(sample, self.fields, shape_of=self._shape, is_label=self.is_label)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Scale the fields back."""
        return resize_fields_back(sample, self.fields, like=like, is_label=self.is_label)

    def _shape(self, volume: Volume) -> tuple[int, ...]:
        dims = len(volume.spatial_shape)
        if len(self.target_shape) != dims:
            message = f"target_shape: found {list(self.target_shape)}, expected {dims} numbers, as the image has axes"
            raise DataError(f"{message}; write a target_shape of {dims} numbers")
        return self.target_shape
