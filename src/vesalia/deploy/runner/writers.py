"""What puts a subject's result on disk, without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vesalia.deploy.runner.resample import resample_to
from vesalia.deploy.runner.volume import Sample
from vesalia.errors import DataError
from vesalia.imaging.nifti_array import write_array
from vesalia.imaging.voxel_values import DType
from vesalia.runtime.files import is_plain_name

__all__ = ["WRITERS", "WriteNifti", "Writer"]


class Writer(Protocol):
    """Writes a field of a finished subject."""

    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``."""

    def write(self, sample: Sample, folder: Path) -> Path:
        """Write it; the file is whole or not there."""


@dataclass(frozen=True, slots=True)
class WriteNifti:
    """``<folder>/<subject>/<subject>_<field>.nii.gz`` on the grid and with the affine of the original image."""

    field: str
    dtype: DType = "float32"
    write_path: str | None = None

    def path(self, subject: str, folder: Path) -> Path:
        """Where the result of ``subject`` goes below ``folder``.

        Raises:
            DataError: The name of the subject or of the field leads out of the folder.
        """
        for name in (subject, self.field):
            if not is_plain_name(name):
                raise DataError(f"{name!r}: found a name that leads out of its folder, expected a plain name")
        base = folder / self.write_path if self.write_path else folder
        return base / subject / f"{subject}_{self.field}.nii.gz"

    def write(self, sample: Sample, folder: Path) -> Path:
        """Write the field of ``sample``.

        Raises:
            DataError: The sample has no such field, or ``dtype`` cannot hold its values.
            ResourceError: The disk is full.
        """
        volume = sample[self.field]
        candidates = (sample.fields.get("image"), volume, *sample.fields.values())
        source = next((one.source for one in candidates if one is not None and one.source is not None), None)
        if source is not None:
            volume = resample_to(volume, source.grid, mode="linear" if self.dtype.startswith("float") else "nearest")
        path = self.path(sample.name, folder)
        return write_array(volume.channels, path, grid=volume.grid, source=source, dtype=self.dtype)


WRITERS: Mapping[str, Callable[..., Writer]] = {"WriteNifti": WriteNifti}
"""Name to class."""
