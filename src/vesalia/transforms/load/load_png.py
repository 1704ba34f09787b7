"""LoadPng: from a PNG file to a 2D volume."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

from vesalia.imaging.picture import read_picture
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names
from vesalia.transforms.load.fields import files_of

__all__ = ["LoadPng"]


class LoadPng(Deterministic):
    """Reads the files of each field as 2D images: rows first, no channel axis if grey, channels last if in colour.

    Values are the stored ones (0 to 255, or to 65535 in files of 16 bits) as float32; transparency is dropped. A list
    of files becomes channels. A file that is really a JPEG is read as well.

    Args:
        fields: The fields to read; their paths come from the data list.
        palette: What a file with a palette holds: ``colours``, or ``indices`` for a label map drawn with a palette.
    """

    def __init__(self, fields: FieldNames, *, palette: Literal["colours", "indices"] = "colours") -> None:
        self.fields = field_names(fields)
        self.palette: Literal["colours", "indices"] = palette

    def transform(self, sample: Sample) -> Sample:
        """Read the fields."""
        read = {name: read_picture(files_of(sample, name), palette=self.palette) for name in self.fields}
        return sample.with_fields(**read)
