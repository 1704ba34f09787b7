"""What there is to convert: files of one kind below a folder, or DICOM series, and where each result goes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vesalia.datatools.itk_file import WRITABLE, dicom_series
from vesalia.errors import ConfigError, DataError

__all__ = ["DICOM", "NIFTI", "Piece", "find_pieces", "read_suffix", "written_suffix"]

DICOM = ".dcm"
"""Stands for DICOM whatever its files are called."""
NIFTI = (".nii.gz", ".nii")
_DICOM_NAMES = {".dcm", ".dicom", ".ima"}
_MARK, _MARK_AT = b"DICM", 128
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Piece:
    """One image to convert.

    Attributes:
        files: Its file, or the slices of a series.
        target: Where the result goes.
    """

    files: tuple[Path, ...]
    target: Path

    @property
    def name(self) -> str:
        """What messages call it: the file, or the folder of the series."""
        return str(self.files[0] if len(self.files) == 1 else self.files[0].parent)


def read_suffix(text: str) -> str:
    """``.nii.gz`` for ``nii.gz``; :data:`DICOM` for ``dicom`` and the like.

    Raises:
        ConfigError: It is empty.
    """
    suffix = "." + text.strip().lower().lstrip("*").lstrip(".")
    if suffix == ".":
        raise ConfigError("--from: found no ending, expected that of the files to convert; write --from .nii.gz")
    return DICOM if suffix in _DICOM_NAMES else suffix


def written_suffix(text: str) -> str:
    """The ending of results.

    Raises:
        ConfigError: It is not one of a format that is written.
    """
    suffix = "." + text.strip().lower().lstrip(".")
    known = (*NIFTI, *WRITABLE)
    if suffix not in known:
        raise ConfigError(f"--to: found {text!r}, expected one of {', '.join(known)}; write --to .nii.gz")
    return suffix


def find_pieces(source: Path, destination: Path, *, suffix: str, to: str) -> tuple[Piece, ...]:
    """Everything below ``source`` with the ending ``suffix``, by name; what lies in ``destination`` is left out.

    Raises:
        DataError: There is no such folder, or nothing in it.
        ConfigError: Results would take the place of what they are made from, or of each other.
    """
    if not source.is_dir():
        found = "a file" if source.exists() else "no such folder"
        raise DataError(f"{source}: found {found}, expected the folder with the images; write its path")
    source, destination = source.resolve(), destination.resolve()
    files = [
        path
        for path in sorted(source.rglob("*"))
        if not path.name.startswith(".") and path.is_file() and not _lies_in(path, destination, source)
    ]
    pieces = tuple(
        _series(files, source, destination, to)
        if suffix == DICOM
        else _single(files, source, destination, suffix=suffix, to=to)
    )
    if not pieces:
        raise DataError(_nothing(source, files, suffix))
    _require_own_places(pieces)
    return pieces


def _lies_in(path: Path, destination: Path, source: Path) -> bool:
    return destination != source and path.is_relative_to(destination)


def _single(files: Sequence[Path], source: Path, destination: Path, *, suffix: str, to: str) -> Iterator[Piece]:
    for path in files:
        if path.name.lower().endswith(suffix) and len(path.name) > len(suffix):
            stem = path.name[: -len(suffix)]
            yield Piece((path,), destination / path.relative_to(source).parent / f"{stem}{to}")


def _series(files: Sequence[Path], source: Path, destination: Path, to: str) -> Iterator[Piece]:
    """A piece per series: named after its folder, with the series number behind where it holds several."""
    for folder in dict.fromkeys(path.parent for path in files if _is_dicom(path)):
        place = destination / folder.relative_to(source)
        place = place.with_name(folder.name) if folder != source else destination / folder.name
        found = dicom_series(folder)
        for number, slices in found.items():
            ending = f"_{number}" if len(found) > 1 else ""
            yield Piece(slices, place.with_name(f"{place.name}{ending}{to}"))


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in _DICOM_NAMES:
        return True
    try:
        with path.open("rb") as stream:
            stream.seek(_MARK_AT)
            return stream.read(len(_MARK)) == _MARK
    except OSError:
        return False


def _nothing(source: Path, files: Sequence[Path], suffix: str) -> str:
    counted = Counter(_ending(path) for path in files)
    there = ", ".join(f"{count} {ending or 'without an ending'}" for ending, count in counted.most_common(_SHOWN))
    best = next((ending for ending, _ in counted.most_common() if ending), ".nii.gz")
    found = f"no {suffix} file below it (there are {there})" if there else "an empty folder"
    return f"{source}: found {found}, expected images; write --from {best}, or another folder"


def _ending(path: Path) -> str:
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def _require_own_places(pieces: Sequence[Piece]) -> None:
    twice = next((path for path, count in Counter(piece.target for piece in pieces).items() if count > 1), None)
    if twice is not None:
        both = " and ".join(piece.name for piece in pieces if piece.target == twice)
        raise ConfigError(f"{twice}: found {both} to be written there, expected one of them; rename the other")
    read = {path for piece in pieces for path in piece.files}
    over = next((piece.target for piece in pieces if piece.target in read), None)
    if over is not None:
        message = f"{over}: found it to be read and written, expected another folder for the results"
        raise ConfigError(f"{message}; write a folder of their own")
