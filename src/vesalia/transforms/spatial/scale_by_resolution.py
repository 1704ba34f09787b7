"""ScaleByResolution: to a voxel spacing in mm."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence

from vesalia.errors import ConfigError
from vesalia.imaging.geometry import resize_affine
from vesalia.imaging.resample import resize
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, SpacingMM
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["ScaleByResolution"]


class ScaleByResolution(Deterministic):
    """Resamples to a spacing, in the stored axis order; the field of view stays what it was.

    The new size is ``round(size * spacing / target_resolution)``, at least 1, so the spacing reached differs from the
    one asked for by the rounding; the affine says what it is.

    Args:
        fields: The fields to resample.
        target_resolution: Spacing in mm, one number per axis or one for all.
        is_label: Take the nearest value, for label maps; otherwise interpolate linearly.
    """

    def __init__(self, fields: FieldNames, *, target_resolution: SpacingMM, is_label: bool = False) -> None:
        if min(target_resolution) <= 0:
            message = f"target_resolution: found {list(target_resolution)}, expected numbers above 0 in mm"
            raise ConfigError(f"{message}; write [1.0, 1.0, 1.0]")
        self.fields = field_names(fields)
        self.target_resolution = tuple(target_resolution)
        self.is_label = is_label

    def transform(self, sample: Sample) -> Sample:
        """Resample the fields."""
        return change_fields(sample, self.fields, change=self._scale)

    def _scale(self, volume: Volume) -> Volume:
        shape = volume.spatial_shape
        spacing = volume.spacing_mm
        new = tuple(
            max(1, math.floor(round(size * now / target, 3) + 0.5))  # affines are stored as float32
            for size, now, target in zip(shape, spacing, self._target(len(shape)), strict=True)
        )
        data = resize(volume.as_batch(), new, mode="nearest" if self.is_label else "linear")
        affine = None if volume.affine is None else resize_affine(volume.affine, shape, new_shape=new)
        return volume.from_batch(data, affine=affine)

    def _target(self, dims: int) -> Sequence[float]:
        target = self.target_resolution
        return target * dims if len(target) == 1 else target[:dims]
