"""LoadImageMasksFromNumpy: from a NumPy file to a volume."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from vesalia.errors import DataError
from vesalia.imaging.array_file import read_array
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.picture import picture_affine
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names
from vesalia.transforms.load.fields import LAYOUTS, files_of, first_source

__all__ = ["LoadImageMasksFromNumpy"]

_BY_AXES = {2: "HW", 3: "DHW", 4: "DHWC"}


class LoadImageMasksFromNumpy(Deterministic):
    """Reads ``.npy`` and ``.npz`` files: masks drawn in Python, or images.

    An array does not know where it lies: it takes the grid of a field that was read from a file before it and has its
    shape, and else voxels of 1 mm. A list of files becomes channels. Pickled objects are refused.

    Args:
        fields: The fields to read; their paths come from the data list. In an ``.npz`` with several arrays the one
            under the field's name is taken.
        dtype: The type of the values.
        shape: What the array's axes are; by default ``"HW"``, ``"DHW"`` or ``"DHWC"``, by their number.
    """

    def __init__(
        self,
        fields: FieldNames,
        *,
        dtype: Literal["float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64", "bool"] = "float32",
        shape: Literal["HW", "DHW", "HWC", "CHW", "DHWC", "CDHW"] | None = None,
    ) -> None:
        self.fields = field_names(fields)
        self.dtype = dtype
        self.shape = shape

    def transform(self, sample: Sample) -> Sample:
        """Read the fields."""
        for name in self.fields:
            parts = [self._read(path, name) for path in files_of(sample, name)]
            sample = sample.with_fields(**{name: _placed(_stacked(parts), first_source(sample))})
        return sample

    def _read(self, path: Path, name: str) -> Volume:
        array = read_array(path, name=name, dtype=np.dtype(self.dtype))
        shape = self.shape or _BY_AXES.get(array.ndim, "")
        if len(shape) != array.ndim:
            expected = f"{len(shape)} axes as shape={shape!r} says" if shape else "2 to 4 axes"
            message = f"{path}: found an array of {array.ndim} axes {array.shape}, expected {expected}"
            raise DataError(f'{message}; write for example shape: "CHW"')
        dims, channel = LAYOUTS[shape]
        volume = Volume(torch.from_numpy(array), np.eye(4), channel)
        grid = Grid(volume.spatial_shape, _own_place(dims))
        return replace(volume, affine=grid.affine, source=Source((path,), grid, dtype=str(array.dtype)))


def _own_place(dims: int) -> Affine:
    """Where an array lies that nothing else places: a 2D one as a picture does, a 3D one with axes to R, A, S."""
    return picture_affine() if dims == 2 else np.eye(4)


def _placed(volume: Volume, first: Source | None) -> Volume:
    """``volume`` on the grid of the file read first, where it has that shape."""
    if first is None or volume.source is None or first.grid.shape != volume.spatial_shape:
        return volume
    source = replace(first, paths=volume.source.paths, dtype=volume.source.dtype)
    return replace(volume, affine=first.grid.affine, source=source)


def _stacked(parts: list[Volume]) -> Volume:
    """Several files as channels."""
    first = parts[0]
    if len(parts) == 1:
        return first
    paths = tuple(path for part in parts if part.source for path in part.source.paths)
    shapes = [part.spatial_shape for part in parts]
    if len(set(shapes)) > 1:
        other = next(index for index, shape in enumerate(shapes) if shape != shapes[0])
        message = f"{paths[other]}: found shape {shapes[other]}, expected {shapes[0]} as {paths[0]} has"
        raise DataError(f"{message}; write arrays of one shape")
    data = torch.cat([part.as_batch()[0] for part in parts])
    return Volume(data, first.affine, "first", source=replace(first.source, paths=paths) if first.source else None)
