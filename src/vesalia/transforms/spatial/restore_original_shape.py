"""RestoreOriginalShape: back to the grid of the file, whatever happened on the way."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine
from vesalia.imaging.resample import resample_to
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName
from vesalia.transforms.base import Deterministic

__all__ = ["RestoreOriginalShape"]


class RestoreOriginalShape(Deterministic):
    """Resamples a prediction to the grid on disk of the image it was made from.

    It goes by the affines, so scaling, reorientation, padding and cropping are all undone. What the prediction does not
    cover becomes 0. One that lies on that grid already is given back as it is, without a copy.

    Args:
        field: The field to bring back, such as ``model``.
        src_field: The field whose file says how the grid was, such as ``image``.
        is_label: Take the nearest value, for label maps; otherwise interpolate linearly.
    """

    def __init__(self, field: FieldName, *, src_field: FieldName, is_label: bool = False) -> None:
        self.field = field
        self.src_field = src_field
        self.is_label = is_label

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that changes."""
        return (self.field,)

    def transform(self, sample: Sample) -> Sample:
        """Bring the field back."""
        origin = sample[self.src_field].source
        if origin is None:
            message = f"found that {self.src_field!r} was not read from a file, expected a field that was loaded"
            raise DataError(f"{message}; write src_field: 'image'")
        volume = replace(sample[self.field], affine=self._affine(sample), source=origin)
        if volume.grid.matches(origin.grid):
            return sample.with_fields(**{self.field: replace(volume, affine=origin.grid.affine)})
        restored = resample_to(volume, origin.grid, mode="nearest" if self.is_label else "linear")
        return sample.with_fields(**{self.field: restored})

    def _affine(self, sample: Sample) -> Affine:
        """Where the prediction lies: where it says, or else where the image of its shape lies."""
        volume, image = sample[self.field], sample[self.src_field]
        if volume.affine is not None:
            return volume.affine
        if volume.batched or volume.spatial_shape != image.spatial_shape or image.affine is None:
            message = f"found {self.field!r} of shape {volume.spatial_shape} that does not say where it lies, expected"
            raise DataError(f"{message} shape {image.spatial_shape} as {self.src_field!r} has; restore whole volumes")
        return image.affine
