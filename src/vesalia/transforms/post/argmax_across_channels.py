"""ArgmaxAcrossChannels: from probabilities per class to a label map."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["ArgmaxAcrossChannels"]


class ArgmaxAcrossChannels(Deterministic):
    """The number of the largest channel, in a channel axis of length 1; the first one wins a tie.

    Args:
        fields: The fields to turn into label maps.
    """

    def __init__(self, fields: FieldNames) -> None:
        self.fields = field_names(fields)

    def transform(self, sample: Sample) -> Sample:
        """Turn the fields into label maps."""
        return change_fields(sample, self.fields, change=_argmax)


def _argmax(volume: Volume) -> Volume:
    batch = volume.as_batch()
    channels = batch.shape[1]
    if volume.channel == "none" or channels < 2:
        message = f"found {channels} channel, expected a channel per class (2 or more)"
        raise DataError(f"{message}; leave out ArgmaxAcrossChannels, or train with num_classes of 2 or more")
    best = batch[:, :1]
    label = torch.zeros_like(best, dtype=torch.uint8 if channels <= 256 else torch.int16)
    for index in range(1, channels):  # several times faster than argmax over a strided axis
        score = batch[:, index : index + 1]
        better = score > best
        label.masked_fill_(better, index)
        best = torch.maximum(best, score) if index < channels - 1 else best
    return volume.from_batch(label)
