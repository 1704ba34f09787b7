"""Where the channel axis stands: moved, made, taken away."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from tests.drawn import uniform
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.spatial.layouts import layout_for_channels, with_channel, with_channels_as


def test_what_stands_there_already_is_not_copied() -> None:
    volume = Volume(uniform(2, 4, 3), channel="first")
    assert with_channel(volume, "first") is volume


def test_several_channels_fit_where_there_was_no_axis() -> None:
    made = layout_for_channels(Volume(uniform(4, 3))).from_batch(uniform(1, 2, 4, 3))
    assert (made.channel, made.data.shape) == ("first", (2, 4, 3))
    last = Volume(uniform(4, 3, 1), channel="last")
    assert layout_for_channels(last) is last


def test_one_channel_can_be_taken_away() -> None:
    volume = Volume(uniform(1, 4, 3), channel="first")
    assert torch.equal(with_channel(volume, "none").data, volume.data[0])


def test_as_another_sample_has_it() -> None:
    last = Sample({"image": Volume(uniform(4, 3, 2), channel="last")})
    first = Sample({"image": with_channel(last["image"], "first")})
    assert torch.equal(with_channels_as(first, last, fields=["image"])["image"].data, last["image"].data)
