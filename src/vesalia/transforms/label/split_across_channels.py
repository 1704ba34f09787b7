"""SplitAcrossChannels: every channel into a field of its own."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName
from vesalia.transforms.base import Deterministic
from vesalia.transforms.label.masks import different_names

__all__ = ["SplitAcrossChannels"]


class SplitAcrossChannels(Deterministic):
    """Makes a field with one channel per name; the i-th holds channel i.

    A name beyond the channels makes a field of 0, as SplitBasedOnLabel has it for a class that is absent.

    Args:
        field: The field to split.
        channel_names: Names of the new fields, for the channels 0, 1, 2 and so on.
    """

    def __init__(self, field: FieldName, *, channel_names: Sequence[str]) -> None:
        self.field = field
        self.channel_names = different_names(channel_names, argument="channel_names")

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that is split."""
        return (self.field,)

    def transform(self, sample: Sample) -> Sample:
        """Make the fields."""
        volume = sample[self.field]
        batch = volume.as_batch()
        channels = [*batch.split(1, dim=1), *[torch.zeros_like(batch[:, :1])] * len(self.channel_names)]
        made = {name: volume.from_batch(one) for name, one in zip(self.channel_names, channels, strict=False)}
        return sample.with_fields(**made)
