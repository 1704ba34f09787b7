"""LoadJpg: from a JPEG file to a 2D volume."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.imaging.picture import read_picture
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names
from vesalia.transforms.load.fields import files_of

__all__ = ["LoadJpg"]


class LoadJpg(Deterministic):
    """Reads the files of each field as 2D images: rows first, no channel axis if grey, channels last if in colour.

    Values are the stored ones (0 to 255) as float32; a note in the file that it is to be shown turned is not followed.
    A list of files becomes channels. A file that is really a PNG is read as well.

    Args:
        fields: The fields to read; their paths come from the data list.
    """

    def __init__(self, fields: FieldNames) -> None:
        self.fields = field_names(fields)

    def transform(self, sample: Sample) -> Sample:
        """Read the fields."""
        return sample.with_fields(**{name: read_picture(files_of(sample, name)) for name in self.fields})
