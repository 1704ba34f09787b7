"""The header of a NIfTI-1 or NIfTI-2 file: what it says of its voxels and of where they lie."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import nibabel as nib
import numpy as np

from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.gzipped import read_start
from vesalia.imaging.source import Source

__all__ = ["HEADER_BYTES", "NiftiHeader", "check_length", "parse_header", "read_header"]

HEADER_BYTES = 540
"""Length of the longer of the two headers, that of NIfTI-2."""

_Header: TypeAlias = Any  # nib.Nifti1Header | nib.Nifti2Header, which are typed in part only


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """What a NIfTI file says of itself.

    Attributes:
        path: The file.
        grid: Its spatial shape and affine.
        channels: Length of the channel axis; 0 where there is none.
        dtype: How a voxel is stored, such as ``int16``.
        slope: What stored values are multiplied with.
        intercept: What is added afterwards.
        sform_code: What the sform is aligned to; 0 for none.
        qform_code: What the qform is aligned to; 0 for none.
        offset: Bytes before the first voxel.
        byte_order: ``<`` or ``>``.
    """

    path: Path
    grid: Grid
    channels: int
    dtype: str
    slope: float
    intercept: float
    sform_code: int
    qform_code: int
    offset: int
    byte_order: Literal["<", ">"]

    @property
    def voxels(self) -> int:
        """Values in the file, over all channels."""
        return math.prod(self.grid.shape) * max(1, self.channels)

    @property
    def stored(self) -> np.dtype[Any]:
        """The stored type with its byte order."""
        return np.dtype(f"{self.byte_order}{np.dtype(self.dtype).str[1:]}")

    @property
    def source(self) -> Source:
        """The record that a volume carries along."""
        return Source((self.path,), self.grid, self.sform_code, self.qform_code, self.dtype)


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


def parse_header(path: Path, content: bytes) -> NiftiHeader:
    """Read the first :data:`HEADER_BYTES` of a decompressed file.

    Raises:
        DataError: They are no NIfTI header, or one that does not place its voxels.
    """
    header = _nifti_header(path, content)
    shape, channels = _spatial(path, header)
    stored = _stored(path, header)
    if stored.kind not in "fiu" or stored.itemsize > 8:
        message = f"{path}: found voxels stored as {stored}, expected plain numbers; write it as int16 or float32"
        raise DataError(message)
    slope, intercept = _scaling(path, header)
    return NiftiHeader(
        path=path,
        grid=Grid(shape, _affine(path, header)),
        channels=channels,
        dtype=stored.name,
        slope=slope,
        intercept=intercept,
        sform_code=int(header["sform_code"]),
        qform_code=int(header["qform_code"]),
        offset=int(header.get_data_offset()),
        byte_order=">" if header.endianness == ">" else "<",
    )


def _nifti_header(path: Path, content: bytes) -> _Header:
    sizes = {int.from_bytes(content[:4], order) for order in ("little", "big")} if len(content) >= 4 else set()
    kind = nib.Nifti2Header if 540 in sizes else nib.Nifti1Header
    magic = content[4:12] if kind is nib.Nifti2Header else content[344:348]
    if not sizes & {348, 540} or not magic.startswith((b"n+1\x00", b"n+2\x00")):
        found = "an empty file" if not content else "a header without the NIfTI mark"
        message = f"{path}: found {found}, expected a single-file NIfTI image (.nii or .nii.gz)"
        raise DataError(f"{message}; write it as NIfTI, or another path in the data list")
    try:
        header: _Header = kind.from_fileobj(io.BytesIO(content), check=False)
    except (nib.spatialimages.HeaderDataError, nib.filebasedimages.ImageFileError, ValueError) as error:
        message = f"{path}: found a damaged NIfTI header ({error}), expected a readable one"
        raise DataError(f"{message}; write a fresh copy of the file") from error
    return header


def _stored(path: Path, header: _Header) -> np.dtype[Any]:
    try:
        stored: np.dtype[Any] = header.get_data_dtype()
    except (nib.spatialimages.HeaderDataError, KeyError) as error:
        message = f"{path}: found a damaged NIfTI header (datatype {int(header['datatype'])} is none)"
        raise DataError(f"{message}, expected a readable one; write a fresh copy of the file") from error
    return stored


def _scaling(path: Path, header: _Header) -> tuple[float, float]:
    try:
        slope, intercept = header.get_slope_inter()
    except nib.spatialimages.HeaderDataError as error:
        slope, intercept = (float(header[name]) for name in ("scl_slope", "scl_inter"))
        message = f"{path}: found the slope {slope:g} with the intercept {intercept:g}, expected two numbers"
        raise DataError(f"{message}; write the file again with scl_slope 1 and scl_inter 0") from error
    return 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)


def _spatial(path: Path, header: _Header) -> tuple[tuple[int, ...], int]:
    """Spatial shape and channels (0 for no channel axis); a 5D vector image with one time point has channels."""
    shape = tuple(int(size) for size in header.get_data_shape())
    if len(shape) == 5 and shape[3] == 1:
        shape = (*shape[:3], shape[4])
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        message = f"{path}: found an image of shape {shape}, expected 2, 3 or 4 axes (the 4th counts channels)"
        raise DataError(f"{message}; write it as 3D or 4D files")
    return (shape[:3], shape[3]) if len(shape) == 4 else (shape, 0)


def _affine(path: Path, header: _Header) -> Affine:
    try:
        affine = np.asarray(header.get_best_affine(), dtype=np.float64)
    except (nib.spatialimages.HeaderDataError, ValueError) as error:
        message = f"{path}: found a qform that is no rotation ({error}), expected a valid one"
        raise DataError(f"{message}; write the file again with a valid sform") from error
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        message = f"{path}: found an affine that does not place the voxels in space, expected one that can be inverted"
        raise DataError(f"{message}; write the file again with a valid sform or qform")
    return affine


def check_length(header: NiftiHeader, found: int) -> None:
    """Raise :class:`DataError` where ``found`` bytes cannot hold the voxels."""
    expected = header.offset + header.voxels * header.stored.itemsize
    if found < expected:
        message = f"{header.path}: found {found} bytes, expected {expected} ({header.grid.shape} of {header.dtype})"
        raise DataError(f"{message}; write a fresh copy, the file is cut short")
