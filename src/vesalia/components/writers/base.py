"""What a writer is: it puts one field of a finished subject on disk."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample

__all__ = ["Writer", "subject_folder"]


def subject_folder(folder: Path, subject: str) -> Path:
    """The folder of ``subject`` below ``folder``.

    Raises:
        DataError: The name is no single part of a path, so that the result would lie elsewhere.
    """
    if not subject.strip(". ") or any(sign in subject for sign in "/\\\0"):
        message = f"{subject!r}: found a subject's name that leads out of its folder, expected a plain name"
        raise DataError(f"{message}; write another name for the image file")
    return folder / subject


class Writer(ABC):
    """Writes a subject's result; knows whether it is there already, so that an evaluation can go on."""

    @abstractmethod
    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``; :func:`subject_folder` keeps it there."""

    @abstractmethod
    def write(self, sample: Sample, folder: Path) -> Path:
        """Write the field of ``sample``; a file is whole or not there.

        Raises:
            ResourceError: The disk is full.
        """
