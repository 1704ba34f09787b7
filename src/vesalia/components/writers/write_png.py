"""v3's WritePng writer: a field of a 2D subject as PNG, in the size of the picture the subject came from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from vesalia.components.writers.base import Writer, original_source, result_folder, subject_file
from vesalia.imaging.picture import read_picture, write_picture
from vesalia.imaging.resample import resample_to
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldName, Positive

__all__ = ["WritePng"]


class WritePng(Writer):
    """Writes ``<folder>/<subject>/<subject>_<field>.png`` in the size of the original picture.

    A field of one channel gives grey values, one of three channels colours. A label map is written as it is: class 1
    has grey value 1, and LoadPng reads it back. 3D fields are refused; WriteNifti writes those.

    Args:
        field: What is written.
        dtype: Bits of the file.
        write_path: Folder instead of the evaluation's own; a relative one lies in the archive.
        scale: What values are multiplied with before they are rounded: 255 for probabilities.
        is_label: Back to the original size by the nearest value, else linearly. By default, values that are not scaled
            are labels.
    """

    def __init__(
        self,
        field: FieldName,
        *,
        dtype: Literal["uint8", "uint16"] = "uint8",
        write_path: str | None = None,
        scale: Positive = 1.0,
        is_label: bool | None = None,
    ) -> None:
        self.field = field
        self.dtype: Literal["uint8", "uint16"] = dtype
        self.write_path = write_path
        self.scale = scale
        self.is_label = scale == 1.0 if is_label is None else is_label

    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``.

        Raises:
            DataError: The name leads out of the folder.
            ConfigError: The field's name does.
        """
        return subject_file(result_folder(folder, self.write_path), subject, field=self.field, suffix=".png")

    def write(self, sample: Sample, folder: Path) -> Path:
        """Write the field of ``sample``; a file is whole or not there.

        Raises:
            DataError: The sample has no such field, or it is no 2D image of 1 or 3 channels, or values do not fit.
            ResourceError: The disk is full.
        """
        volume = sample[self.field]
        source = original_source(sample, volume)
        if source is not None and len(source.grid.shape) == len(volume.spatial_shape):
            volume = resample_to(volume, source.grid, mode="nearest" if self.is_label else "linear")
        scaled = volume if self.scale == 1.0 else replace(volume, data=volume.data * self.scale)
        return write_picture(scaled, self.path(sample.name, folder), dtype=self.dtype)

    def read(self, subject: str, folder: Path) -> Volume:
        """The field as it was written, in the size of the original picture, its values divided by ``scale``.

        Raises:
            DataError: The file is missing or damaged.
        """
        volume = read_picture([self.path(subject, folder)])
        return replace(volume, data=volume.data / self.scale)
