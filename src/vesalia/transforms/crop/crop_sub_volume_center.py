"""CropSubVolumeCenter: the middle."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames, SizeVoxels
from vesalia.transforms.base import Deterministic, Invertible, Nothing, change_fields, field_names
from vesalia.transforms.crop.window import around, check_axes, check_size, cut_windows, put_back
from vesalia.transforms.spatial.reading_mode import reading_modes

__all__ = ["CropSubVolumeCenter"]


class CropSubVolumeCenter(Deterministic, Invertible[Nothing]):
    """Cuts the middle out of a volume, or out of each member of a batch.

    Args:
        fields: The fields to crop.
        size: Voxels of the crop. A volume that is smaller is padded with 0 on both sides.
    """

    def __init__(self, fields: FieldNames, *, size: SizeVoxels) -> None:
        self.fields = field_names(fields)
        self.size = check_size(size)

    def transform(self, sample: Sample) -> Sample:
        """Cut the fields."""
        return change_fields(
            sample, self.fields, change=lambda volume: cut_windows(volume, self._starts(volume), size=self.size)
        )

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Put the middle back, 0 around it."""
        back = {
            name: put_back(sample[name], self._starts(like[name]), like=like[name], mode=mode)
            for name, mode in reading_modes(sample, self.fields).items()
        }
        return sample.with_fields(**back)

    def _starts(self, volume: Volume) -> torch.Tensor:
        shape = volume.spatial_shape
        check_axes(shape, size=self.size)
        start = around([whole // 2 for whole in shape], self.size, shape=shape)
        return torch.tensor([start] * len(volume.as_batch()))
