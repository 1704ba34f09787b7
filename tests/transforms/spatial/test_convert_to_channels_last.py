"""ConvertToChannelsLast: conformance, every layout, and back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.convert_to_channels_last import ConvertToChannelsLast


class TestConvertToChannelsLast(TransformSuite):
    inverts = True
    any_layout = False

    def make(self, dims: int) -> ConvertToChannelsLast:
        return ConvertToChannelsLast("image,label")

    def channel_after(self, channel: ChannelAxis) -> ChannelAxis:
        return "last"


LAYOUTS = [("none", (4, 3)), ("first", (2, 4, 3)), ("last", (4, 3, 2)), ("none", (4, 3, 5)), ("first", (1, 4, 3, 5))]


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(("channel", "shape"), LAYOUTS)
def test_every_layout_there_and_back(*, channel: ChannelAxis, shape: tuple[int, ...], batched: bool) -> None:
    shape = (5, *shape) if batched else shape
    volume = Volume(uniform(*shape), channel=channel, batched=batched)
    sample, convert = Sample({"image": volume}), ConvertToChannelsLast("image")
    done = convert(sample, torch.Generator())["image"]
    assert done.channel == "last"
    assert done.spatial_shape == volume.spatial_shape
    assert torch.equal(done.as_batch(), volume.as_batch())
    assert done.data.is_contiguous()
    back = convert.invert(Sample({"image": done}), NOTHING, like=sample)["image"]
    assert back.channel == channel
    assert torch.equal(back.data, volume.data)


def test_the_two_conversions_undo_each_other() -> None:
    sample = Sample({"image": Volume(uniform(2, 4, 3), channel="first")})
    last = ConvertToChannelsLast("image")(sample, torch.Generator())
    assert torch.equal(ConvertToChannelsFirst("image")(last, torch.Generator())["image"].data, sample["image"].data)
