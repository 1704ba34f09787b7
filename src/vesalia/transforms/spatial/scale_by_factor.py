"""ScaleByFactor: so many times as many voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, Positive
from vesalia.transforms.base import Deterministic, Invertible, Nothing, field_names
from vesalia.transforms.spatial.resizing import per_axis, resize_fields, resize_fields_back, scaled_shape

__all__ = ["ScaleByFactor"]


class ScaleByFactor(Deterministic, Invertible[Nothing]):
    """Divides the field of view into ``factor`` times as many voxels, rounded, at least 1; the affine follows.

    Args:
        fields: The fields to scale.
        factor: One number for all axes, or one per axis; above 1 for more voxels.
        is_label: Take the nearest value; false interpolates linearly. Without it a field is a label if its name begins
            with ``label``, ``mask`` or ``seg``, or if it holds whole numbers and is not named ``image``.
    """

    def __init__(
        self, fields: FieldNames, *, factor: Positive | Sequence[Positive], is_label: bool | None = None
    ) -> None:
        self.fields = field_names(fields)
        self.factor = tuple(factor) if isinstance(factor, Sequence) else (factor,)
        self.is_label = is_label
        if len(self.factor) not in {1, 2, 3} or min(self.factor) <= 0:
            message = f"factor: found {list(self.factor)}, expected a number above 0, or one per axis"
            raise ConfigError(f"{message}; write 0.5")

    def transform(self, sample: Sample) -> Sample:
        """Scale the fields."""
        return resize_fields(sample, self.fields, shape_of=self._shape, is_label=self.is_label)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Scale the fields back."""
        return resize_fields_back(sample, self.fields, like=like, is_label=self.is_label)

    def _shape(self, volume: Volume) -> tuple[int, ...]:
        shape = volume.spatial_shape
        return scaled_shape(shape, per_axis(self.factor, len(shape), name="factor"))
