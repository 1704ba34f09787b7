"""ConvertToChannelsLast: the channel axis behind the spatial axes, made where there is none."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, Invertible, Nothing, change_fields, field_names
from vesalia.transforms.spatial.layouts import with_channel, with_channels_as

__all__ = ["ConvertToChannelsLast"]


class ConvertToChannelsLast(Deterministic, Invertible[Nothing]):
    """Moves the channel axis to the end, or adds one of length 1.

    Args:
        fields: The fields to convert.
    """

    takes_whole_numbers = True

    def __init__(self, fields: FieldNames) -> None:
        self.fields = field_names(fields)

    def transform(self, sample: Sample) -> Sample:
        """Convert the fields."""
        return change_fields(sample, self.fields, change=lambda volume: with_channel(volume, "last"))

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Put the channel axis back where it was."""
        return with_channels_as(sample, like, fields=self.fields)
