"""LoadNifti without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from vesalia.deploy.runner.places import field_names
from vesalia.deploy.runner.volume import Sample, Volume
from vesalia.errors import DataError
from vesalia.imaging.axis_order import Reorientation, towards_canonical
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.nifti_array import read_array
from vesalia.imaging.source import ChannelAxis, Source
from vesalia.imaging.voxel_values import DType

__all__ = ["LoadNifti"]

_LAYOUTS: Final[Mapping[str, tuple[int, ChannelAxis]]] = {
    "HW": (2, "none"),
    "DHW": (3, "none"),
    "HWC": (2, "last"),
    "CHW": (2, "first"),
    "DHWC": (3, "last"),
    "CDHW": (3, "first"),
}


@dataclass(frozen=True, slots=True)
class LoadNifti:
    """Reads the files of each field; see the component of this name."""

    fields: str | Sequence[str]
    as_closest_canonical: bool = False
    dtype: DType = "float32"
    shape: str | None = None

    def __call__(self, sample: Sample) -> Sample:
        """Read the fields."""
        for name in field_names(self.fields):
            sample = sample.with_fields(**{name: self._read(sample, name)})
        return sample

    def _read(self, sample: Sample, name: str) -> Volume:
        files = sample.files.get(name)
        if not files:
            has = ", ".join(sorted(sample.files)) or "none"
            raise DataError(f"found no file for field {name!r}, expected one of: {has}; add it to the data list")
        volume = _read_files(files, self.dtype)
        volume = _with_axes(volume, self.shape) if self.shape else volume
        first = next((one.source for one in sample.fields.values() if one.source is not None), None)
        volume = _on_the_grid_of(first, volume)
        if not self.as_closest_canonical:
            return volume
        return _turned(volume, towards_canonical(volume.placed, dims=len(volume.spatial_shape)))


def _read_files(paths: Sequence[Path], dtype: DType) -> Volume:
    volumes = []
    for path in paths:
        values, header = read_array(path, dtype=dtype)
        channel: ChannelAxis = "last" if header.channels else "none"
        volumes.append(Volume(values, header.grid.affine, channel, header.source))
    return volumes[0] if len(volumes) == 1 else _stacked(volumes, paths)


def _stacked(volumes: Sequence[Volume], paths: Sequence[Path]) -> Volume:
    """Volumes on one grid as channels in front."""
    first = volumes[0]
    for path, other in zip(paths[1:], volumes[1:], strict=True):
        if grid_fault(path, other.grid, image=first.grid) is not None:
            message = f"{path}: found shape {other.spatial_shape} or a place that differs from {paths[0]}"
            raise DataError(f"{message} {first.spatial_shape}, expected the same grid for all channels; resample it")
    data = np.concatenate([volume.channels for volume in volumes])
    source = None if first.source is None else replace(first.source, paths=tuple(paths))
    return Volume(data, first.affine, "first", source)


def _with_axes(volume: Volume, shape: str) -> Volume:
    dims, channel = _LAYOUTS[shape]
    if volume.channel == "first" and volume.data.ndim == dims + 1:
        return volume
    if volume.data.ndim != len(shape):
        found = f"found an image of {volume.data.ndim} axes ({volume.data.shape})"
        raise DataError(f"{found}, expected {len(shape)} axes as shape={shape!r} says; change or leave out shape")
    return replace(volume, channel=channel)


def _on_the_grid_of(first: Source | None, volume: Volume) -> Volume:
    """``volume`` with the grid of the file read first, where the two differ by no more than headers are rounded."""
    source = volume.source
    if first is None or source is None or volume.spatial_shape != source.grid.shape:
        return volume
    if grid_fault(source.paths[0], source.grid, image=first.grid) is not None:
        return volume
    return replace(volume, affine=first.grid.affine, source=replace(source, grid=first.grid))


def _turned(volume: Volume, turn: Reorientation) -> Volume:
    """``volume`` with its axes reordered and reversed; every voxel keeps its place in the patient."""
    if turn.is_identity:
        return volume
    moved = volume.channels.transpose(0, *(axis + 1 for axis in turn.order))
    data = np.ascontiguousarray(np.flip(moved, tuple(axis + 1 for axis in turn.flips)))
    return volume.like_this(data, affine=turn.affine(volume.placed, volume.spatial_shape))
