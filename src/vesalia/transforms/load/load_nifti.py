"""LoadNifti: from a NIfTI file to a volume."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from copy import copy
from typing import Literal

from vesalia.imaging.nifti import read_volume
from vesalia.imaging.orientation import to_canonical
from vesalia.imaging.volume import Sample, Volume
from vesalia.imaging.voxel_values import DType
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names
from vesalia.transforms.load.fields import files_of, first_source, on_the_grid_of, with_axes

__all__ = ["LoadNifti"]


class LoadNifti(Deterministic):
    """Reads the files of each field; a list of files becomes channels, and so does the 4th axis of a 4D file.

    Headers of files that belong together are often rounded differently. So a field takes the grid of the one that was
    read first where ``vesalia check`` would not object: equal shapes, edges within 1 %, corners within a voxel.

    Args:
        fields: The fields to read; their paths come from the data list.
        as_closest_canonical: Reorder and reverse axes so that they point as nearly as possible to right, anterior
            and superior. The affine follows, so that predictions still find the way back to the file's grid.
        dtype: The type of the values.
        shape: What the file's axes are, where that is not clear from their number: ``"HWC"`` for a 3D file that
            holds a 2D image with channels, for example. Files of another number of axes are refused.
    """

    def __init__(
        self,
        fields: FieldNames,
        *,
        as_closest_canonical: bool = False,
        dtype: Literal["float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64", "bool"] = "float32",
        shape: Literal["HW", "DHW", "HWC", "CHW", "DHWC", "CDHW"] | None = None,
    ) -> None:
        self.fields = field_names(fields)
        self.as_closest_canonical = as_closest_canonical
        self.dtype: DType = dtype
        self.shape = shape
        self._keeps_whole = False

    def keeping_whole(self) -> LoadNifti:
        """This step, giving uint8 or int16 where float32 is asked for and the file holds such whole numbers."""
        keeping = copy(self)
        keeping._keeps_whole = self.dtype == "float32"  # noqa: SLF001 - of the copy
        return keeping

    def transform(self, sample: Sample) -> Sample:
        """Read the fields."""
        for name in self.fields:
            sample = sample.with_fields(**{name: self._read(sample, name)})
        return sample

    def _read(self, sample: Sample, name: str) -> Volume:
        volume = read_volume(files_of(sample, name), dtype=self.dtype, keep_whole=self._keeps_whole)
        volume = with_axes(volume, self.shape) if self.shape else volume
        volume = on_the_grid_of(first_source(sample), volume)
        return to_canonical(volume) if self.as_closest_canonical else volume
