"""v3's WriteNifti writer: a field as NIfTI, on the grid of the file the subject came from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from vesalia.components.writers.base import Writer, original_source, result_folder, subject_file
from vesalia.imaging.nifti import read_volume, write_volume
from vesalia.imaging.resample import resample_to
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldName

__all__ = ["WriteNifti"]


class WriteNifti(Writer):
    """Writes ``<folder>/<subject>/<subject>_<field>.nii.gz`` on the grid and with the affine of the original image.

    Args:
        field: What is written.
        dtype: Voxel type of the file. Whole-number types are labels: nearest neighbour back to the original
            grid; others are interpolated linearly.
        write_path: Folder instead of the evaluation's own; a relative one lies in the archive.
    """

    def __init__(
        self,
        field: FieldName,
        *,
        dtype: Literal["float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64"] = "float32",
        write_path: str | None = None,
    ) -> None:
        self.field = field
        self.dtype = dtype
        self.write_path = write_path

    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``.

        Raises:
            DataError: The name leads out of the folder.
            ConfigError: The field's name does.
        """
        return subject_file(result_folder(folder, self.write_path), subject, field=self.field, suffix=".nii.gz")

    def write(self, sample: Sample, folder: Path) -> Path:
        """Write the field of ``sample``; a file is whole or not there.

        Raises:
            DataError: The sample has no such field, or ``dtype`` cannot hold its values.
            ResourceError: The disk is full.
        """
        volume = sample[self.field]
        source = original_source(sample, volume)
        if source is not None:
            mode: Literal["linear", "nearest"] = "linear" if self.dtype.startswith("float") else "nearest"
            volume = replace(resample_to(volume, source.grid, mode=mode), source=source)
        return write_volume(volume, self.path(sample.name, folder), dtype=self.dtype)

    def read(self, subject: str, folder: Path) -> Volume:
        """The field as it was written, on the grid of the original image, in the type of the file.

        Raises:
            DataError: The file is missing or damaged.
        """
        return read_volume(self.path(subject, folder), dtype=self.dtype)
