"""What a writer is: it puts one field of a finished subject on disk."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Source, Volume

__all__ = ["Writer", "original_source", "subject_folder"]


def subject_folder(folder: Path, subject: str) -> Path:
    """The folder of ``subject`` below ``folder``.

    Raises:
        DataError: The name is no single part of a path, so that the result would lie elsewhere.
    """
    if not subject.strip(". ") or any(sign in subject for sign in "/\\\0"):
        message = f"{subject!r}: found a subject's name that leads out of its folder, expected a plain name"
        raise DataError(f"{message}; write another name for the image file")
    return folder / subject


def original_source(sample: Sample, volume: Volume) -> Source | None:
    """The image's file, else the field's own; None for a sample that came from no file."""
    candidates = (sample.fields.get("image"), volume, *sample.fields.values())
    return next((one.source for one in candidates if one is not None and one.source is not None), None)


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

    def finalize(self, subjects: Sequence[str], folder: Path, *, class_names: Sequence[str]) -> Path | None:
        """Write what is written once for all subjects, after the last of them; None where there is no such file.

        Args:
            subjects: All whose results are there, those of an earlier evaluation included, in the list's order.
            folder: The folder that their results were written below.
            class_names: A name per output channel of the network.

        Raises:
            DataError: A result cannot be read back.
            ResourceError: The disk is full.
        """
        return None

    def exists(self, subject: str, folder: Path) -> bool:
        """Whether the result of ``subject`` is there."""
        return self.path(subject, folder).is_file()

    def read(self, subject: str, folder: Path) -> Volume:
        """The result of ``subject``, read back from disk.

        Raises:
            DataError: It is not there or damaged, or this writer's files cannot be read back.
        """
        path = self.path(subject, folder)
        message = f"{path}: found a file of {type(self).__name__}, which reads nothing back"
        raise DataError(f"{message}, expected an image; run the evaluation again")
