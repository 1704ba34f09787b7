"""What a writer is: it puts one field of a finished subject on disk."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.runtime.files import is_plain_name

__all__ = ["Writer", "original_source", "result_folder", "subject_file", "subject_folder"]


def result_folder(folder: Path, write_path: str | None) -> Path:
    """Where a writer's results go: ``folder``, or the writer's own ``write_path``."""
    return folder / write_path if write_path else folder


def subject_folder(folder: Path, subject: str) -> Path:
    """The folder of ``subject`` below ``folder``.

    Raises:
        DataError: The name is no single part of a path, so that the result would lie elsewhere.
    """
    if not is_plain_name(subject):
        message = f"{subject!r}: found a subject's name that leads out of its folder, expected a plain name"
        raise DataError(f"{message}; write another name for the image file")
    return folder / subject


def subject_file(folder: Path, subject: str, *, field: str, suffix: str) -> Path:
    """``<folder>/<subject>/<subject>_<field><suffix>``, the name that v3 gives a result.

    Raises:
        DataError: The subject's name leads out of the folder.
        ConfigError: The field's name does.
    """
    if not is_plain_name(field):
        message = f"field: found {field!r}, which leads out of the subject's folder, expected a plain name"
        raise ConfigError(f'{message}; write another name for the field, such as "model"')
    return subject_folder(folder, subject) / f"{subject}_{field}{suffix}"


def original_source(sample: Sample, volume: Volume) -> Source | None:
    """The image's file, else the field's own; None for a sample that came from no file."""
    candidates = (sample.fields.get("image"), volume, *sample.fields.values())
    return next((one.source for one in candidates if one is not None and one.source is not None), None)


class Writer(ABC):
    """Writes a subject's result; knows whether it is there already, so that an evaluation can go on."""

    @abstractmethod
    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``; :func:`subject_file` keeps it there."""

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
