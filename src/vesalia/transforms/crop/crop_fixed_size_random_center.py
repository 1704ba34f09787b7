"""CropFixedSizeRandomCenter: a window of fixed size, anywhere."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames, SizeVoxels
from vesalia.transforms.base import Invertible, Transform, change_fields, field_names, members_of
from vesalia.transforms.crop.window import Windows, around, check_axes, check_size, cut_windows, put_fields_back
from vesalia.transforms.fusion.work import Fusible, Work

__all__ = ["CropFixedSizeRandomCenter"]


class CropFixedSizeRandomCenter(Transform[Windows], Invertible[Windows], Fusible[Windows]):
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
        check_axes(shape, size=self.size)
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
        return change_fields(
            sample, self.fields, change=lambda volume: cut_windows(volume, parameters.starts, size=self.size)
        )

    def fuse(self, work: Work, parameters: Windows) -> None:
        """Cut the same windows out of all fields."""
        work.cut(self.fields, parameters.starts, size=self.size, batched=work.pending(self.fields[0]).batched)

    def invert(self, sample: Sample, parameters: Windows, *, like: Sample) -> Sample:
        """Put the windows back where they were cut."""
        return put_fields_back(sample, parameters.starts, fields=self.fields, like=like)
