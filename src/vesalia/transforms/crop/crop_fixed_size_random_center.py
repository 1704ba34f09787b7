"""CropFixedSizeRandomCenter: a window of fixed size, anywhere."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, SizeVoxels
from vesalia.transforms.base import Transform, change_fields, field_names, members_of
from vesalia.transforms.crop.window import Windows, around, check_size, cut, cut_members

__all__ = ["CropFixedSizeRandomCenter"]


class CropFixedSizeRandomCenter(Transform[Windows]):
    """Cuts one window out of a volume (or out of each member of a batch), every place as likely as the others.

    Args:
        fields: The fields to crop, all at the same place.
        size: Voxels of the crop. A volume that is smaller is padded with 0.
    """

    def __init__(self, fields: FieldNames, *, size: SizeVoxels) -> None:
        self.fields = field_names(fields)
        self.size = check_size(size)

    def draw(self, sample: Sample, generator: torch.Generator) -> Windows:
        """Choose a place for every member."""
        members, shape = members_of(sample, self.fields)
        if len(shape) != len(self.size):
            message = f"found an image of shape {shape}, expected {len(self.size)} spatial axes as size has"
            raise DataError(f"{message}; write a size of {len(shape)} numbers")
        throws = torch.rand(members, len(shape), generator=generator, dtype=torch.float64).tolist()
        starts = [
            [
                int(throw * (whole - length + 1)) if whole >= length else around([0], [length], shape=[whole])[0]
                for throw, length, whole in zip(row, self.size, shape, strict=True)
            ]
            for row in throws
        ]
        return Windows(torch.tensor(starts, dtype=torch.int64))

    def apply(self, sample: Sample, parameters: Windows) -> Sample:
        """Cut the same windows out of all fields."""
        return change_fields(sample, self.fields, change=lambda volume: self._cut(volume, parameters.starts))

    def _cut(self, volume: Volume, starts: torch.Tensor) -> Volume:
        return (
            cut_members(volume, starts, size=self.size)
            if volume.batched
            else cut(volume, starts[0].tolist(), size=self.size)
        )
