"""ThresholdValues: from values to 0 and 1."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["ThresholdValues"]


class ThresholdValues(Deterministic):
    """1 where a value is above the threshold, 0 elsewhere, channel by channel.

    Args:
        fields: The fields to decide.
        threshold: What a value must exceed.
    """

    def __init__(self, fields: FieldNames, *, threshold: float = 0.5) -> None:
        self.fields = field_names(fields)
        self.threshold = threshold

    def transform(self, sample: Sample) -> Sample:
        """Decide the fields."""
        return change_fields(sample, self.fields, change=self._decide)

    def _decide(self, volume: Volume) -> Volume:
        return volume.from_batch((volume.as_batch() > self.threshold).to(torch.uint8))
