"""What all loading transforms share: a field's files, its axes, and the grid that fields of a subject lie on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vesalia.errors import DataError
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.volume import ChannelAxis, Sample, Source, Volume

__all__ = ["LAYOUTS", "files_of", "first_source", "on_the_grid_of", "with_axes"]

LAYOUTS: Mapping[str, tuple[int, ChannelAxis]] = {
    "HW": (2, "none"),
    "DHW": (3, "none"),
    "HWC": (2, "last"),
    "CHW": (2, "first"),
    "DHWC": (3, "last"),
    "CDHW": (3, "first"),
}
"""What the axes of a file are: spatial axes, and where the channels are."""


def files_of(sample: Sample, name: str) -> tuple[Path, ...]:
    """The files of a field.

    Raises:
        DataError: The data list gave none.
    """
    files = sample.files.get(name)
    if not files:
        has = ", ".join(sorted(sample.files)) or "none"
        raise DataError(f"found no file for field {name!r}, expected one of: {has}; add it to the data list")
    return files


def first_source(sample: Sample) -> Source | None:
    """Where the field that was read first came from."""
    return next((volume.source for volume in sample.fields.values() if volume.source is not None), None)


def on_the_grid_of(first: Source | None, volume: Volume) -> Volume:
    """``volume`` with the grid of the file read first, where the two differ by no more than headers are rounded."""
    source = volume.source
    if first is None or source is None or volume.spatial_shape != source.grid.shape:
        return volume
    if grid_fault(source.paths[0], source.grid, image=first.grid) is not None:
        return volume
    return replace(volume, affine=first.grid.affine, source=replace(source, grid=first.grid))


def with_axes(volume: Volume, shape: str) -> Volume:
    """``volume`` with the channel axis where ``shape`` says; several files have theirs already.

    Raises:
        DataError: The file has another number of axes.
    """
    dims, channel = LAYOUTS[shape]
    if volume.channel == "first" and volume.data.ndim == dims + 1:
        return volume
    if volume.data.ndim != len(shape):
        found = f"found an image of {volume.data.ndim} axes ({tuple(volume.data.shape)})"
        raise DataError(f"{found}, expected {len(shape)} axes as shape={shape!r} says; change or leave out shape")
    return replace(volume, channel=channel)
