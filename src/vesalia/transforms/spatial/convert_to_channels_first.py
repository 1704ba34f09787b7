"""ConvertToChannelsFirst: the channel axis in front of the spatial axes, made where there is none."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["ConvertToChannelsFirst"]


class ConvertToChannelsFirst(Deterministic):
    """Moves the channel axis to the front, or adds one of length 1.

    Args:
        fields: The fields to convert.
    """

    def __init__(self, fields: FieldNames) -> None:
        self.fields = field_names(fields)

    def transform(self, sample: Sample) -> Sample:
        """Convert the fields."""
        return change_fields(sample, self.fields, change=_channels_first)


def _channels_first(volume: Volume) -> Volume:
    if volume.channel == "first":
        return volume
    data = volume.as_batch().contiguous()
    return replace(volume, data=data if volume.batched else data[0], channel="first")
