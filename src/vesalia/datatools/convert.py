"""A tree of images to another format and spacing: DICOM to NIfTI, NIfTI to 1 mm, and the like."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from vesalia.datatools.convert_pieces import DICOM, NIFTI, Piece, find_pieces, read_suffix, written_suffix
from vesalia.datatools.itk_file import read_dicom, read_itk, write_itk
from vesalia.errors import ConfigError, DataError, Interrupted
from vesalia.imaging.nifti import read_header, read_volume, write_volume
from vesalia.imaging.volume import Sample, Volume
from vesalia.imaging.voxel_values import DType
from vesalia.runtime.files import require_writable
from vesalia.runtime.interrupts import StopRequest
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution

__all__ = ["Conversion", "ConvertResult", "convert"]

_READABLE = {"float32", "float64", "uint8", "int8", "int16", "int32", "int64"}
"""Stored types that a volume keeps; others are read as float64, or int32 where that holds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How images are converted.

    Attributes:
        suffix: Ending of what is read; ``.dcm`` reads DICOM series, whatever their files are called.
        to: Ending of what is written.
        spacing_mm: The spacing of results: one number for all axes, or one per stored axis; None keeps it.
        labels: Whether the images are label maps: nearest neighbour, else linear.
        overwrite: Whether results that are there are made anew.
    """

    suffix: str = ".nii.gz"
    to: str = ".nii.gz"
    spacing_mm: tuple[float, ...] | None = None
    labels: bool = False
    overwrite: bool = False


@dataclass(slots=True)
class ConvertResult:
    """What came of it.

    Attributes:
        written: Results of this run.
        skipped: Results that were there before.
        failures: File (or folder of a series) to what was wrong with it.
    """

    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON data."""
        return {"written": list(map(str, self.written)), "skipped": list(map(str, self.skipped))}


def convert(
    source: Path,
    destination: Path,
    *,
    how: Conversion,
    progress: Callable[[int, int], None] | None = None,
    stop: StopRequest | None = None,
) -> ConvertResult:
    """Convert every image of one kind below ``source``; the results lie below ``destination`` as they lay there.

    Args:
        source: The folder to look through, with all folders in it.
        destination: Where results go; made if it is not there.
        how: What to read and what to write.
        progress: Is told how many of how many images are done.
        stop: Set it to stop before the next image.

    Raises:
        ConfigError: The arguments do not fit together, or SimpleITK is needed and not installed.
        DataError: There is nothing to convert; or images failed: all of them are named, and the others are done.
        ResourceError: The disk is full.
        Interrupted: A stop was asked for; the same call goes on.
    """
    _require_spacing(how.spacing_mm)
    suffix, to = read_suffix(how.suffix), written_suffix(how.to)
    how = replace(how, suffix=suffix, to=to)
    pieces = find_pieces(source, destination, suffix=suffix, to=to)
    require_writable(destination)
    result = ConvertResult()
    for done, piece in enumerate(pieces):
        if stop:
            message = f"stopped after {done} of {len(pieces)} images; what was written is whole, the same call goes on"
            raise Interrupted(message, signal_number=stop.signal_number or 2)
        if progress:
            progress(done, len(pieces))
        _convert_one(piece, how, result)
    if progress:
        progress(len(pieces), len(pieces))
    _raise_failures(result, destination)
    return result


def _convert_one(piece: Piece, how: Conversion, result: ConvertResult) -> None:
    if piece.target.is_file() and not how.overwrite:
        result.skipped.append(piece.target)
        return
    try:
        volume = _scaled(_read(piece.files, how.suffix), how)
        write = write_volume if how.to in NIFTI else write_itk
        result.written.append(write(volume, piece.target))
    except DataError as error:
        said = str(error)
        result.failures[piece.name] = said if piece.name in said else f"{piece.name}: {said}"


def _read(files: Sequence[Path], suffix: str) -> Volume:
    if suffix == DICOM:
        return read_dicom(files)
    if suffix not in NIFTI:
        return read_itk(files[0])
    header = read_header(files[0])
    scaled = header.slope != 1.0 or header.intercept != 0.0
    wider = "int32" if header.dtype == "uint16" else "float64"
    kept = header.dtype if header.dtype in _READABLE else wider
    return read_volume(files[0], dtype=cast("DType", "float32" if scaled else kept))


def _scaled(volume: Volume, how: Conversion) -> Volume:
    """``volume`` at the wanted spacing, in the type it had."""
    if how.spacing_mm is None:
        return volume
    dims = len(volume.spatial_shape)
    if len(how.spacing_mm) not in {1, dims}:
        found = f"an image of {dims} axes, and {len(how.spacing_mm)} spacings"
        raise DataError(f"found {found}, expected one spacing or {dims}; write --spacing-mm 1")
    scale = ScaleByResolution("image", target_resolution=how.spacing_mm, is_label=how.labels)
    done = scale.transform(Sample({"image": volume}))["image"]
    if done.data.dtype == volume.data.dtype:
        return done
    return replace(done, data=done.data.round().to(volume.data.dtype))


def _require_spacing(spacing_mm: tuple[float, ...] | None) -> None:
    if spacing_mm is None or (len(spacing_mm) in {1, 2, 3} and all(np.isfinite(spacing_mm)) and min(spacing_mm) > 0):
        return
    found = ", ".join(f"{step:g}" for step in spacing_mm) or "nothing"
    raise ConfigError(f"--spacing-mm: found {found}, expected 1 to 3 numbers above 0 in mm; write --spacing-mm 1")


def _raise_failures(result: ConvertResult, destination: Path) -> None:
    if not result.failures:
        return
    total = len(result.failures) + len(result.written) + len(result.skipped)
    kept = f"the other {total - len(result.failures)} are in {destination}"
    head = f"{len(result.failures)} of {total} images failed; {kept}; mend these, or take them out:"
    raise DataError("\n".join([head, *(f"  {said}" for said in result.failures.values())]))
