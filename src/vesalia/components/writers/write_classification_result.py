"""v3's WriteClassificationResult writer: one table with a classifier's probabilities for all subjects."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from vesalia.components.writers.base import Writer, result_folder, subject_file
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.label_heads import head_widths, likelihoods
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldName, Widths
from vesalia.runtime.files import is_plain_name, write_json, write_text

__all__ = ["WriteClassificationResult"]


class WriteClassificationResult(Writer):
    """Writes ``<folder>/classification_results.csv``: a row per subject, a column with the probability of each class.

    The table is written at the end. Until then, and for an evaluation that is interrupted and goes on, each subject's
    numbers are in ``<subject>/<subject>_<field>.json``.

    Args:
        field: What is written: a vector of probabilities.
        write_path: Folder instead of the evaluation's own; a relative one lies in the archive.
        file_name: The table's name.
        label_format: Channels per label, as the pipeline's ``output_label_format``: the probabilities of an n-way label
            then add up to 1 for each label. None writes them as the network gives them.

    Raises:
        ConfigError: ``file_name`` leads into another folder.
    """

    def __init__(
        self,
        field: FieldName = "model",
        *,
        write_path: str | None = None,
        file_name: str = "classification_results.csv",
        label_format: Widths | None = None,
    ) -> None:
        if not is_plain_name(file_name):
            message = f"file_name: found {file_name!r}, expected a plain name (write_path says the folder)"
            raise ConfigError(f'{message}; write "classification_results.csv"')
        self.field = field
        self.write_path = write_path
        self.file_name = file_name
        self.label_format = None if label_format is None else tuple(label_format)

    def path(self, subject: str, folder: Path) -> Path:
        """Where the numbers of ``subject`` go below ``folder``.

        Raises:
            DataError: The name leads out of the folder.
            ConfigError: The field's name does.
        """
        return subject_file(result_folder(folder, self.write_path), subject, field=self.field, suffix=".json")

    def write(self, sample: Sample, folder: Path) -> Path:
        """Write the numbers of ``sample``; a file is whole or not there.

        Raises:
            ConfigError: The channels do not fit the label format.
            DataError: The sample has no such field, or it is no vector.
            ResourceError: The disk is full.
        """
        data = sample[self.field].as_batch()
        if data.ndim != 2:
            message = f"{sample.name}: {self.field}: found the shape {list(data.shape[1:])}, expected a vector; write "
            raise DataError(message + "WriteNifti for maps, or a model for classification")
        if self.label_format is not None:
            heads = head_widths(data.shape[1], len(self.label_format), label_format=self.label_format)
            data = likelihoods(data, heads)
        image = [str(path) for path in sample.files.get("image", ())]
        path = self.path(sample.name, folder)
        write_json(path, {"image": image[0] if image else "", "values": data[0].double().tolist()})
        return path

    def read(self, subject: str, folder: Path) -> Volume:
        """The numbers of ``subject`` as a vector.

        Raises:
            DataError: The file is missing or damaged.
        """
        return Volume(torch.tensor(self._found(subject, folder)["values"]), channel="first")

    def finalize(self, subjects: Sequence[str], folder: Path, *, class_names: Sequence[str]) -> Path | None:
        """Write the table.

        Raises:
            DataError: A subject's numbers cannot be read back, or are not as many as there are classes.
            ResourceError: The disk is full.
        """
        stream = io.StringIO()
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["subject", "image", *class_names])
        for subject in subjects:
            found = self._found(subject, folder)
            if len(found["values"]) != len(class_names):
                message = f"{self.path(subject, folder)}: found {len(found['values'])} numbers, expected "
                raise DataError(f"{message}{len(class_names)}; run the evaluation again without --resume")
            table.writerow([subject, found["image"], *map(repr, found["values"])])
        path = result_folder(folder, self.write_path) / self.file_name
        write_text(path, stream.getvalue())
        return path

    def _found(self, subject: str, folder: Path) -> dict[str, Any]:
        path = self.path(subject, folder)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {"image": str(found["image"]), "values": [float(value) for value in found["values"]]}
        except (OSError, ValueError, TypeError, KeyError) as error:
            message = f"{path}: found no readable result ({type(error).__name__}), expected the numbers of {subject}"
            raise DataError(f"{message}; run the evaluation again without --resume") from error
