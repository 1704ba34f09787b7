"""RepeatChannel: the channels several times over."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import Count, FieldNames
from vesalia.transforms.base import Deterministic, Invertible, Nothing, change_fields, field_names
from vesalia.transforms.spatial.layouts import with_channel

__all__ = ["RepeatChannel"]


class RepeatChannel(Deterministic, Invertible[Nothing]):
    """Puts all channels ``repeat_times`` times one after the other: ``a b`` becomes ``a b a b``.

    Grey images are made fit for networks that want three colours. A field without a channel axis gets one in front.

    Args:
        fields: The fields to repeat.
        repeat_times: How many times the channels stand there afterwards.
    """

    def __init__(self, fields: FieldNames, *, repeat_times: Count) -> None:
        self.fields = field_names(fields)
        self.repeat_times = repeat_times

    def transform(self, sample: Sample) -> Sample:
        """Repeat the channels."""
        return change_fields(sample, self.fields, change=self._repeat)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Keep the first copy of the channels."""
        first = {}
        for name in self.fields:
            volume, channels = sample[name], like[name].as_batch().shape[1]
            first[name] = with_channel(volume.from_batch(volume.as_batch()[:, :channels]), like[name].channel)
        return sample.with_fields(**first)

    def _repeat(self, volume: Volume) -> Volume:
        channeled = with_channel(volume, "first") if volume.channel == "none" else volume
        batch = channeled.as_batch()
        return channeled.from_batch(batch.repeat(1, self.repeat_times, *[1] * (batch.ndim - 2)))
