"""Predictions on disk: each subject's files, and beside them a record of what they were made from and by.

The record is written after the files and taken away before they change, so it never speaks of others than those there.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vesalia.components.writers.base import Writer, subject_folder
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.mmar.plan import EvaluatePlan
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.files import as_resource_error, write_json

__all__ = ["RECORD_FILE", "Predictions"]

RECORD_FILE: Final = "prediction.json"
"""In a subject's folder: the weights, the config and the image that its files were made by and from."""

_WITHOUT_EFFECT: Final = ("do_validation", "output_infer_result", "val_metrics", "DATA_LIST_KEY")
"""What a config says of judging and of the choice of subjects changes no prediction."""

_Files = Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True, slots=True)
class Predictions:
    """The predictions in an output folder.

    Attributes:
        folder: The output folder.
        writers: What puts a subject's files there; without any, nothing is written, and no record either.
        maker: What makes the predictions: the hashes of the weights and of the config.
    """

    folder: Path
    writers: tuple[Writer, ...]
    maker: Mapping[str, str]

    @classmethod
    def by(cls, plan: EvaluatePlan, *, writers: Sequence[Writer], weights_sha256: str) -> Predictions:
        """The predictions of ``plan`` with these weights."""
        config = {key: value for key, value in plan.raw.items() if key not in _WITHOUT_EFFECT}
        text = json.dumps(config, sort_keys=True, default=str)
        hashed = hashlib.sha256(text.encode()).hexdigest()
        return cls(plan.output_dir, tuple(writers), {"weights_sha256": weights_sha256, "config_sha256": hashed})

    def record(self, files: _Files) -> dict[str, Any]:
        """What a prediction on ``files`` is made by and from, as of now; labels take no part in it.

        Raises:
            DataError: A file is not there any more.
        """
        given = {field: [_facts(path) for path in paths] for field, paths in files.items() if field != "label"}
        return {**self.maker, "files": given}

    def hold(self, item: DataItem) -> bool:
        """Whether the subject's files are there, made by the same weights and config from the same image."""
        try:
            found = json.loads(self._record_file(item.name).read_text(encoding="utf-8"))
            same = found == self.record(item.files)
        except (OSError, ValueError):
            return False
        return same and all(writer.exists(item.name, self.folder) for writer in self.writers)

    def write(self, sample: Sample, record: Mapping[str, Any]) -> tuple[Path, ...]:
        """Write the files of a finished ``sample``, then its ``record``.

        Args:
            sample: The subject, predicted and finished.
            record: What :meth:`record` gave before its files were read.

        Raises:
            DataError: The subject's name leads out of the folder, or a writer refuses the values.
            ResourceError: The disk is full, or the folder cannot be written.
        """
        if not self.writers:
            return ()
        path = self._record_file(sample.name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise as_resource_error(path, error) from error
        files = tuple(writer.write(sample, self.folder) for writer in self.writers)
        write_json(path, record)
        return files

    def finalize(self, subjects: Sequence[str], *, class_names: Sequence[str]) -> tuple[Path, ...]:
        """Have the writers write what is there once for all ``subjects``.

        Raises:
            DataError: A result cannot be read back.
            ResourceError: The disk is full, or the folder cannot be written.
        """
        if not subjects:
            return ()
        made = (writer.finalize(subjects, self.folder, class_names=class_names) for writer in self.writers)
        return tuple(path for path in made if path is not None)

    def _record_file(self, subject: str) -> Path:
        return subject_folder(self.folder, subject) / RECORD_FILE


def _facts(path: Path) -> dict[str, Any]:
    try:
        status = path.stat()
    except OSError as error:
        message = f"{path}: found no readable file ({error.strerror}), expected an image; write the path of one"
        raise DataError(message) from error
    return {"path": str(path.absolute()), "bytes": status.st_size, "mtime_ns": status.st_mtime_ns}
