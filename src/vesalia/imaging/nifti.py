"""NIfTI files in and out: ``.nii`` and ``.nii.gz``, NIfTI-1 and NIfTI-2.

nibabel reads and writes the format; igzip (ISA-L) does the compression, several times faster than zlib.
A header can be read alone, without decompressing the voxels: that is what checks before a run do.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, spacing_mm
from vesalia.imaging.grid_faults import grid_fault
from vesalia.imaging.gzipped import create, read_all, read_start
from vesalia.imaging.header import HEADER_BYTES, NiftiHeader, check_length, parse_header
from vesalia.imaging.volume import ChannelAxis, Volume
from vesalia.imaging.voxel_values import DType, check_fits, check_numbers
from vesalia.runtime.files import atomic_path

__all__ = ["DType", "read_header", "read_volume", "write_volume"]

_WRITABLE = {"int64": "int32", "bool": "uint8", "float16": "float32"}
"""Types that NIfTI has not, or that few programs read."""


def read_header(path: Path | str) -> NiftiHeader:
    """Read the header alone; takes well under a millisecond, whatever the size of the file.

    Raises:
        DataError: The file is missing, is not NIfTI, is damaged, or does not say where its voxels lie.
    """
    path = Path(path)
    content, length = read_start(path, HEADER_BYTES)
    header = parse_header(path, content)
    if length is not None:
        check_length(header, length)
    return header


def read_volume(path: Path | str | Sequence[Path | str], *, dtype: DType = "float32") -> Volume:
    """Read a file as a volume in its stored axis order; several files become channels.

    Args:
        path: A file or, for one channel each, several files on the same grid.
        dtype: The type of the tensor. Scaled values are asked to be whole where it is a whole-number type.

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
    volumes = [_read_one(each, dtype) for each in paths]
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
    image = _as_nifti(_stored_values(volume, path, dtype), volume)
    with atomic_path(path) as temporary, create(temporary, compressed=path.suffix == ".gz") as stream:
        image.to_stream(stream)
    return path


# ------------------------------------------------------------------------------------------------------------- reading


def _read_one(path: Path, dtype: DType) -> Volume:
    content = read_all(path)
    header = parse_header(path, content[:HEADER_BYTES])
    check_length(header, len(content))
    shape = (*header.grid.shape, *([header.channels] if header.channels else []))
    raw: npt.NDArray[Any] = np.ndarray(shape, header.stored, content, header.offset, order="F")
    values = torch.from_numpy(_scaled(raw, header, np.dtype(dtype)))
    channel: ChannelAxis = "last" if header.channels else "none"
    return Volume(values, affine=header.grid.affine, channel=channel, source=header.source)


def _scaled(raw: npt.NDArray[Any], header: NiftiHeader, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Stored values times slope plus intercept, in ``dtype``: a new array, last axis fastest."""
    check_numbers(raw, header.path)
    if header.slope != 1.0 or header.intercept != 0.0:
        work = np.promote_types(np.float32 if raw.dtype.itemsize <= 2 else np.float64, dtype)
        raw = raw.astype(work) * work.type(header.slope) + work.type(header.intercept)
        raw = raw if dtype.kind == "f" else raw.round(4)
    if dtype.kind != "f" or dtype.itemsize < min(4, raw.dtype.itemsize) or raw.dtype == np.float64:
        check_fits(raw, dtype, path=header.path)
    return raw.astype(dtype, order="C")


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


# ------------------------------------------------------------------------------------------------------------- writing


def _stored_values(volume: Volume, path: Path, dtype: DType | None) -> npt.NDArray[Any]:
    """The voxels as they go into the file: spatial axes, then channels as the 4th axis where there are several."""
    data = volume.as_batch()[0].detach().cpu().movedim(0, -1)
    data = data.float() if data.dtype is torch.bfloat16 else data
    data = data.unsqueeze(2) if data.ndim == 3 and data.shape[-1] > 1 else data
    values = (data[..., 0] if data.shape[-1] == 1 else data).numpy()
    kind = np.dtype(dtype or values.dtype)
    kind = np.dtype(_WRITABLE.get(kind.name, kind.name))
    if kind.kind != "f":
        values = np.rint(values) if values.dtype.kind == "f" else values
        if values.dtype != kind:
            check_fits(values, kind, path=path)
    return values.astype(kind, copy=False)


def _as_nifti(values: npt.NDArray[Any], volume: Volume) -> Any:  # nibabel is typed in part only
    kind: Any = nib.Nifti2Image if max(values.shape) > np.iinfo(np.int16).max else nib.Nifti1Image
    source = volume.source
    codes = (2, 2)
    if source is not None and source.grid.matches(volume.grid):
        codes = (source.sform_code, source.qform_code)
    image = kind(values, None if codes == (0, 0) else volume.placed)
    image.header.set_zooms((*spacing_mm(volume.placed), 1.0)[: values.ndim])
    image.header.set_xyzt_units("mm")
    if codes != (0, 0):
        image.set_sform(volume.placed, code=codes[0])
        _set_qform(image, volume.placed, codes)
    return image


def _set_qform(image: Any, affine: Affine, codes: tuple[int, int]) -> None:
    """Write the qform where it says the same as the sform: it cannot hold shears."""
    sform, qform = codes
    image.set_qform(affine, code=max(1, qform), strip_shears=True)
    says_the_same = np.allclose(image.get_qform(), affine, rtol=0, atol=1e-3)
    if not qform or (sform and not says_the_same):
        image.set_qform(None, code=0)
