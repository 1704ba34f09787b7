"""Formats that NIfTI is made from: DICOM series, and whatever else ITK reads; SimpleITK does the reading.

ITK speaks of places in LPS, Vesalia in RAS: the first two rows of an affine change sign. Its first axis runs fastest,
as in NIfTI, so stored axes i, j, k are the same in both.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import Affine, Grid
from vesalia.imaging.volume import ChannelAxis, Source, Volume
from vesalia.imaging.voxel_values import check_numbers
from vesalia.runtime.files import atomic_path

__all__ = ["WRITABLE", "dicom_series", "read_dicom", "read_itk", "write_itk"]

WRITABLE: Final = (".mha", ".nrrd")
"""What is written besides NIfTI: formats of one file."""
_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
_POSITION, _ORIENTATION, _NUMBER, _FRAMES = "0020|0032", "0020|0037", "0020|0011", "0028|0008"
_EVEN: Final = 0.1
"""How far one step between slices may be from the mean one, as a share of it."""
_WIDER: Final[Mapping[str, str]] = {"uint16": "int32", "uint32": "int64", "uint64": "float64"}
"""Types that torch only stores."""


def read_itk(path: Path) -> Volume:
    """Read a file in any format of ITK, in its stored axis order; several components or time points become channels.

    Raises:
        DataError: The file is missing, damaged, of no known format, or holds values that are not numbers.
        ConfigError: SimpleITK is not installed.
    """
    itk = _simple_itk()
    if not path.is_file():
        raise DataError(f"{path}: found no such file, expected an image; write the right path")
    try:
        image = itk.ReadImage(str(path))
    except RuntimeError as error:
        raise DataError(_unreadable(path, error)) from error
    return _as_volume(itk, image, (path,), None)


def dicom_series(folder: Path) -> dict[str, tuple[Path, ...]]:
    """The DICOM series directly in a folder: number (with a suffix where two share it) to files, sorted by position.

    A file that holds many slices by itself is a series of its own.

    Raises:
        ConfigError: SimpleITK is not installed.
    """
    itk = _simple_itk()
    found: dict[str, tuple[Path, ...]] = {}
    for uid in itk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        files = [Path(name) for name in itk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)]
        number, frames = _facts(itk, files[0])
        for part in [(file,) for file in files] if frames > 1 else [tuple(files)]:
            name, again = number, 2
            while name in found:
                name, again = f"{number}_{again}", again + 1
            found[name] = part
    return found


def read_dicom(files: Sequence[Path]) -> Volume:
    """Read the slices of one series, sorted by position, as one volume; the affine comes from their positions.

    Raises:
        DataError: A file is damaged, slices are missing, doubled or turned, or values are not numbers.
        ConfigError: SimpleITK is not installed.
    """
    if len(files) == 1:
        return read_itk(files[0])
    itk = _simple_itk()
    reader = itk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in files])
    reader.MetaDataDictionaryArrayUpdateOn()
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise DataError(_unreadable(files[0].parent, error)) from error
    positions, orientations = (_per_slice(reader, files, tag) for tag in (_POSITION, _ORIENTATION))
    _require_even(files, positions, orientations)
    return _as_volume(itk, image, files, (positions[-1] - positions[0]) / (len(files) - 1))


def write_itk(volume: Volume, path: Path) -> Path:
    """Write a volume in a format of :data:`WRITABLE`; the file is whole or not there.

    Raises:
        DataError: The volume is a batch.
        ConfigError: SimpleITK is not installed.
        ResourceError: The disk is full, or the folder cannot be written.
    """
    itk = _simple_itk()
    if volume.batched:
        raise DataError(f"{path}: found a batch of crops to write, expected one volume; write them one by one")
    data = volume.as_batch()[0].detach().cpu()
    dims = data.ndim - 1
    values = data.numpy().transpose(*range(dims, 0, -1), 0)
    image = itk.GetImageFromArray(np.ascontiguousarray(values[..., 0] if len(data) == 1 else values), len(data) > 1)
    lps = _TO_LPS @ volume.placed
    image.SetSpacing(volume.spacing_mm)
    image.SetOrigin(lps[:dims, 3].tolist())
    image.SetDirection((lps[:dims, :dims] / np.asarray(volume.spacing_mm)).flatten().tolist())
    with atomic_path(path) as temporary:
        itk.WriteImage(image, str(temporary), useCompression=True)
    return path


def _simple_itk() -> Any:  # it ships no types
    try:
        import SimpleITK  # late: an extra, and slow to load
    except ImportError as error:
        message = "found no SimpleITK, which reads DICOM and the formats of ITK, expected it to be installed"
        raise ConfigError(f"{message}; write pip install 'vesalia[dicom]'") from error
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return SimpleITK


def _unreadable(path: Path, error: RuntimeError) -> str:
    said = str(error).strip().splitlines()[-1].strip()
    return f"{path}: found no image that ITK can read ({said}), expected one; write a fresh copy, or leave it out"


def _facts(itk: Any, file: Path) -> tuple[str, int]:
    """A DICOM file's series number and number of frames."""
    reader = itk.ImageFileReader()
    reader.SetFileName(str(file))
    reader.ReadImageInformation()
    number, frames = (
        reader.GetMetaData(tag).strip() if reader.HasMetaDataKey(tag) else "" for tag in (_NUMBER, _FRAMES)
    )
    return (number if number.isdecimal() else "0"), (int(frames) if frames.isdecimal() else 1)


def _per_slice(reader: Any, files: Sequence[Path], tag: str) -> npt.NDArray[np.float64]:
    """A tag of several numbers, a row per slice."""
    rows = []
    for index, file in enumerate(files):
        text = reader.GetMetaData(index, tag) if reader.HasMetaDataKey(index, tag) else ""
        try:
            rows.append([float(part) for part in text.split("\\")])
        except ValueError:
            message = f"{file}: found a slice that does not say where it lies (tag {tag}), expected a position"
            raise DataError(f"{message}; leave this series out") from None
    return np.array(rows, dtype=np.float64)


def _require_even(
    files: Sequence[Path], positions: npt.NDArray[np.float64], orientations: npt.NDArray[np.float64]
) -> None:
    """Raise :class:`DataError` where the slices do not make up one volume."""
    if not np.allclose(orientations, orientations[0], atol=1e-3):
        message = f"{files[0].parent}: found slices that are turned against each other in one series, expected a stack"
        raise DataError(f"{message}; sort them into a folder per stack")
    steps = np.diff(positions, axis=0)
    mean = steps.mean(axis=0)
    apart = np.linalg.norm(steps - mean, axis=1)
    length = float(np.linalg.norm(mean))
    if length > 0 and apart.max() <= _EVEN * length:
        return
    worst = int(apart.argmax())
    found = f"{np.linalg.norm(steps[worst]):.4g} mm from slice {files[worst].name} to {files[worst + 1].name}"
    message = f"{files[0].parent}: found {found}, expected {length:.4g} mm as on average in this series of {len(files)}"
    raise DataError(f"{message}; slices are missing, doubled, or of several times: write a folder per volume")


def _as_volume(itk: Any, image: Any, files: Sequence[Path], step: npt.NDArray[np.float64] | None) -> Volume:
    """``image`` in RAS; ``step`` is the way in LPS from slice to slice where files know better than ITK."""
    raw: npt.NDArray[Any] = itk.GetArrayFromImage(image)
    total = image.GetDimension()
    dims = min(total, 3)
    parts = image.GetNumberOfComponentsPerPixel() > 1
    if total > 3 and parts:
        raise DataError(f"{files[0]}: found {total} axes and components, expected 3 axes; write 3D files")
    values = raw.transpose(*range(total - 1, -1, -1), *([total] if parts else []))
    values = values[..., 0] if total > 3 and values.shape[-1] == 1 else values
    check_numbers(values, files[0])
    affine = _affine(image, dims, total)
    if step is not None:
        affine[:3, 2] = _TO_LPS[:3, :3] @ step
    channel: ChannelAxis = "last" if values.ndim > dims else "none"
    grid = Grid(values.shape[:dims], affine)
    data = np.ascontiguousarray(values).astype(_WIDER.get(values.dtype.name, values.dtype.name), copy=False)
    source = Source(tuple(files), grid, dtype=values.dtype.name)
    return Volume(torch.from_numpy(data), affine, channel, source=source)


def _affine(image: Any, dims: int, total: int) -> Affine:
    direction = np.array(image.GetDirection()).reshape(total, total)[:dims, :dims]
    lps = np.eye(4)
    lps[:dims, :dims] = direction * np.array(image.GetSpacing()[:dims])
    lps[:dims, 3] = image.GetOrigin()[:dims]
    return np.asarray(_TO_LPS @ lps)
