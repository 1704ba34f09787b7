"""NIfTI files and NumPy arrays: what a file holds, and a file from what an array holds; without torch.

nibabel reads and writes the format; igzip (ISA-L) does the compression, several times faster than zlib.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from vesalia.imaging.geometry import Affine, Grid, spacing_mm
from vesalia.imaging.gzipped import create, read_all
from vesalia.imaging.header import HEADER_BYTES, NiftiHeader, check_length, parse_header
from vesalia.imaging.source import Source
from vesalia.imaging.voxel_values import DType, check_fits, check_numbers
from vesalia.runtime.files import atomic_path

__all__ = ["read_array", "write_array"]

_COMPACT = (np.uint8, np.int16)
_PIECE = 16
"""Planes that are turned together."""
_WRITABLE = {"int64": "int32", "bool": "uint8", "float16": "float32"}
"""Types that NIfTI has not, or that few programs read."""


def read_array(path: Path, *, dtype: DType, keep_whole: bool = False) -> tuple[npt.NDArray[Any], NiftiHeader]:
    """The voxels of a file in its stored axis order, last axis fastest, and its header.

    Args:
        path: The file.
        dtype: The type of the array.
        keep_whole: Give whole numbers as uint8 or int16, where these hold all values, whatever ``dtype`` is.

    Raises:
        DataError: The file is missing, damaged, not NIfTI, or holds values that are not numbers.
    """
    content = read_all(path)
    header = parse_header(path, content[:HEADER_BYTES])
    check_length(header, len(content))
    shape = (*header.grid.shape, *([header.channels] if header.channels else []))
    raw: npt.NDArray[Any] = np.ndarray(shape, header.stored, content, header.offset, order="F")
    whole = _whole(raw, header) if keep_whole else None
    return (_scaled(raw, header, np.dtype(dtype)) if whole is None else whole), header


def _scaled(raw: npt.NDArray[Any], header: NiftiHeader, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """Stored values times slope plus intercept, in ``dtype``: a new array, last axis fastest."""
    check_numbers(raw, header.path)
    if header.slope != 1.0 or header.intercept != 0.0:
        work = np.promote_types(np.float32 if raw.dtype.itemsize <= 2 else np.float64, dtype)
        raw = raw.astype(work) * work.type(header.slope) + work.type(header.intercept)
        raw = raw if dtype.kind == "f" else raw.round(4)
    if dtype.kind != "f" or dtype.itemsize < min(4, raw.dtype.itemsize) or raw.dtype == np.float64:
        check_fits(raw, dtype, path=header.path)
    return _in_rows(raw, dtype)


def _whole(raw: npt.NDArray[Any], header: NiftiHeader) -> npt.NDArray[Any] | None:
    """Whole numbers as uint8 or int16; None where they are none once scaled, or need a wider type."""
    if raw.dtype.kind == "f" or not raw.size or header.slope != 1.0 or header.intercept % 1:
        return None
    shift = int(header.intercept)
    low, high = int(raw.min()) + shift, int(raw.max()) + shift
    fitting = (np.dtype(kind) for kind in _COMPACT if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    kind = next(fitting, None)
    if kind is None:
        return None
    values = _in_rows(raw, kind)
    if shift:  # what the narrow type cannot hold before the shift wraps around, and comes back with it
        values += np.asarray(shift).astype(kind)
    return values


def _in_rows(raw: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """A copy in ``dtype``, last axis fastest; piece by piece, as each fits the processor's cache."""
    copied = np.empty(raw.shape, dtype)
    if raw.ndim == len("HW"):
        copied[...] = raw
        return copied
    step = _PIECE if raw.ndim == len("DHW") else raw.shape[-1]
    for first in range(0, raw.shape[-1], step):
        last = slice(first, first + step)
        for place in range(raw.shape[1]):
            copied[:, place, ..., last] = raw[:, place, ..., last]
    return copied


def write_array(
    values: npt.NDArray[Any], path: Path, *, grid: Grid, source: Source | None = None, dtype: DType | None = None
) -> Path:
    """Write ``[C, *spatial]`` voxels; the file is whole or not there, and the same voxels give the same bytes.

    Args:
        values: The voxels. Channels become the 4th axis (a 2D image gets a 3rd one of length 1); a single channel is
            left out.
        path: The file, ending in ``.nii`` or ``.nii.gz``.
        grid: Where they lie.
        source: The file they came from; its sform and qform codes are kept where it has this very grid.
        dtype: How to store voxels; by default as the array has them. Fractions are rounded for whole-number types.

    Raises:
        DataError: There are values that ``dtype`` cannot hold.
        ResourceError: The disk is full, or the folder cannot be written.
    """
    image = _as_nifti(_stored_values(values, path, dtype), grid, source)
    with atomic_path(path) as temporary, create(temporary, compressed=path.suffix == ".gz") as stream:
        image.to_stream(stream)
    return path


def _stored_values(values: npt.NDArray[Any], path: Path, dtype: DType | None) -> npt.NDArray[Any]:
    """The voxels as they go into the file: spatial axes, then channels as the 4th axis where there are several."""
    data = np.moveaxis(values, 0, -1)
    data = np.expand_dims(data, 2) if data.ndim == 3 and data.shape[-1] > 1 else data
    plain = data[..., 0] if data.shape[-1] == 1 else data
    kind = np.dtype(dtype or plain.dtype)
    kind = np.dtype(_WRITABLE.get(kind.name, kind.name))
    if kind.kind != "f":
        plain = np.rint(plain) if plain.dtype.kind == "f" else plain
        if plain.dtype != kind:
            check_fits(plain, kind, path=path)
    return plain.astype(kind, copy=False)


def _as_nifti(values: npt.NDArray[Any], grid: Grid, source: Source | None) -> Any:  # nibabel is typed in part only
    kind: Any = nib.Nifti2Image if max(values.shape) > np.iinfo(np.int16).max else nib.Nifti1Image
    codes = (2, 2)
    if source is not None and source.grid.matches(grid):
        codes = (source.sform_code, source.qform_code)
    image = kind(values, None if codes == (0, 0) else grid.affine)
    image.header.set_zooms((*spacing_mm(grid.affine), 1.0)[: values.ndim])
    image.header.set_xyzt_units("mm")
    if codes != (0, 0):
        image.set_sform(grid.affine, code=codes[0])
        _set_qform(image, grid.affine, codes)
    return image


def _set_qform(image: Any, affine: Affine, codes: tuple[int, int]) -> None:
    """Write the qform where it says the same as the sform: it cannot hold shears."""
    sform, qform = codes
    image.set_qform(affine, code=max(1, qform), strip_shears=True)
    says_the_same = np.allclose(image.get_qform(), affine, rtol=0, atol=1e-3)
    if not qform or (sform and not says_the_same):
        image.set_qform(None, code=0)
