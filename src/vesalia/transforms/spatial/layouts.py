"""Where the channel axis stands, and how it is moved."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vesalia.imaging.volume import ChannelAxis, Sample, Volume

__all__ = ["layout_for_channels", "with_channel", "with_channels_as"]


def layout_for_channels(volume: Volume) -> Volume:
    """The layout in which several channels fit, for ``from_batch``: one without a channel axis gets it in front."""
    return replace(volume, channel="first") if volume.channel == "none" else volume


def with_channel(volume: Volume, channel: ChannelAxis) -> Volume:
    """``volume`` with its channel axis there, made where there is none; contiguous."""
    if volume.channel == channel:
        return volume
    batch = volume.as_batch()
    moved = replace(volume, channel=channel, batched=True).from_batch(batch).data.contiguous()
    return replace(volume, data=moved if volume.batched else moved[0], channel=channel)


def with_channels_as(sample: Sample, like: Sample, *, fields: Sequence[str]) -> Sample:
    """A copy of ``sample`` whose ``fields`` have their channel axis where ``like`` has it."""
    return sample.with_fields(**{name: with_channel(sample[name], like[name].channel) for name in fields})
