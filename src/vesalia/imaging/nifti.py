"""NIfTI files in and out: ``.nii`` and ``.nii.gz``, NIfTI-1 and NIfTI-2.

A header can be read alone, without decompressing the voxels: that is what checks before a run do.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from vesalia.errors import DataError
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.header import read_header
from vesalia.imaging.nifti_array import read_array, write_array
from vesalia.imaging.volume import ChannelAxis, Volume
from vesalia.imaging.voxel_values import DType

__all__ = ["DType", "read_header", "read_volume", "write_volume"]


def read_volume(
    path: Path | str | Sequence[Path | str], *, dtype: DType = "float32", keep_whole: bool = False
) -> Volume:
    """Read a file as a volume in its stored axis order; several files become channels.

    Args:
        path: A file or, for one channel each, several files on the same grid.
        dtype: The type of the tensor. Scaled values are asked to be whole where it is a whole-number type.
        keep_whole: Give a file of whole numbers as uint8 or int16, where these hold its values, whatever ``dtype`` is.

    Returns:
        A volume with ``channel="none"`` for a 2D or 3D file, ``"last"`` for a 4D file (its 4th axis counts channels),
        and ``"first"`` for several files.

    Raises:
        DataError: A file is missing, damaged, not NIfTI, holds values that are not numbers, or lies elsewhere than the
            first one.
    """
    paths = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    if not paths:
        raise DataError("image: found an empty list of files, expected at least one; write its path")
    volumes = [_read_one(each, dtype, keep_whole=keep_whole) for each in paths]
    return volumes[0] if len(volumes) == 1 else _stack(volumes)


def write_volume(volume: Volume, path: Path | str, *, dtype: DType | None = None) -> Path:
    """Write a volume as NIfTI; the file is whole or not there, and the same volume gives the same bytes.

    A volume on the grid of the file it came from keeps that file's sform and qform codes. Channels become the 4th axis
    (a 2D image gets a 3rd one of length 1); a single channel is left out.

    Args:
        volume: One volume (no batch) in any channel layout.
        path: The file, ending in ``.nii`` or ``.nii.gz``.
        dtype: How to store voxels; by default as the tensor has them. Fractions are rounded for whole-number types.

    Raises:
        DataError: The volume is a batch, or has values that ``dtype`` cannot hold.
        ResourceError: The disk is full, or the folder cannot be written.
    """
    path = Path(path)
    if volume.batched:
        raise DataError(f"{path}: found a batch of crops to write, expected one volume; write them one by one")
    data = volume.as_batch()[0].detach().cpu()
    data = data.float() if data.dtype is torch.bfloat16 else data
    return write_array(data.numpy(), path, grid=volume.grid, source=volume.source, dtype=dtype)


# ------------------------------------------------------------------------------------------------------------- reading


def _read_one(path: Path, dtype: DType, *, keep_whole: bool) -> Volume:
    values, header = read_array(path, dtype=dtype, keep_whole=keep_whole)
    channel: ChannelAxis = "last" if header.channels else "none"
    return Volume(torch.from_numpy(values), affine=header.grid.affine, channel=channel, source=header.source)


def _stack(volumes: Sequence[Volume]) -> Volume:
    """Volumes on one grid as channels in front."""
    first = volumes[0]
    for other in volumes[1:]:
        one, two = (volume.source.paths[0] if volume.source else Path("?") for volume in (first, other))
        if grid_fault(two, other.grid, image=first.grid) is not None:
            message = f"{two}: found shape {other.spatial_shape} or a place that differs from {one}"
            raise DataError(f"{message} {first.spatial_shape}, expected the same grid for all channels; resample it")
    data = torch.cat([volume.as_batch()[0] for volume in volumes])
    paths = tuple(path for volume in volumes if volume.source for path in volume.source.paths)
    source = replace(first.source, paths=paths) if first.source else None
    return Volume(data, affine=first.affine, channel="first", source=source)
