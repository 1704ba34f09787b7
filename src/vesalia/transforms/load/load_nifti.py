"""LoadNifti: from a NIfTI file to a volume."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Literal

from vesalia.errors import DataError
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.nifti import DType, read_volume
from vesalia.imaging.orientation import to_canonical
from vesalia.imaging.volume import ChannelAxis, Sample, Source, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names

__all__ = ["LoadNifti"]

_CHANNEL: dict[str, tuple[int, ChannelAxis]] = {
    "HW": (2, "none"),
    "DHW": (3, "none"),
    "HWC": (2, "last"),
    "CHW": (2, "first"),
    "DHWC": (3, "last"),
    "CDHW": (3, "first"),
}


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

    def transform(self, sample: Sample) -> Sample:
        """Read the fields."""
        for name in self.fields:
            sample = sample.with_fields(**{name: self._read(sample, name)})
        return sample

    def _read(self, sample: Sample, name: str) -> Volume:
        files = sample.files.get(name)
        if not files:
            has = ", ".join(sorted(sample.files)) or "none"
            raise DataError(f"found no file for field {name!r}, expected one of: {has}; add it to the data list")
        volume = read_volume(files, dtype=self.dtype)
        volume = _told(volume, self.shape) if self.shape else volume
        volume = _on_the_grid_of(_first_source(sample), volume)
        return to_canonical(volume) if self.as_closest_canonical else volume


def _first_source(sample: Sample) -> Source | None:
    return next((volume.source for volume in sample.fields.values() if volume.source is not None), None)


def _on_the_grid_of(first: Source | None, volume: Volume) -> Volume:
    """``volume`` with the grid of the file read first, where the two differ by no more than headers are rounded."""
    source = volume.source
    if first is None or source is None or volume.spatial_shape != source.grid.shape:
        return volume
    if grid_fault(source.paths[0], source.grid, image=first.grid) is not None:
        return volume
    return replace(volume, affine=first.grid.affine, source=replace(source, grid=first.grid))


def _told(volume: Volume, shape: str) -> Volume:
    """``volume`` with the channel axis where ``shape`` says; several files have theirs already."""
    dims, channel = _CHANNEL[shape]
    if volume.channel == "first" and volume.data.ndim == dims + 1:
        return volume
    if volume.data.ndim != len(shape):
        found = f"found an image of {volume.data.ndim} axes ({tuple(volume.data.shape)})"
        raise DataError(f"{found}, expected {len(shape)} axes as shape={shape!r} says; change or leave out shape")
    return replace(volume, channel=channel)
