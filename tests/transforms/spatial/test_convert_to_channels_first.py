"""ConvertToChannelsFirst: conformance, and every layout."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst


class TestConvertToChannelsFirst(TransformSuite):
    inverts = True
    any_layout = False

    def make(self, dims: int) -> ConvertToChannelsFirst:
        return ConvertToChannelsFirst("image,label")


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(("channel", "shape"), [("none", (4, 3)), ("first", (2, 4, 3)), ("last", (4, 3, 2))])
def test_every_layout(*, channel: ChannelAxis, shape: tuple[int, ...], batched: bool) -> None:
    shape = (5, *shape) if batched else shape
    volume = Volume(uniform(*shape), channel=channel, batched=batched)
    done = ConvertToChannelsFirst("image")(Sample({"image": volume}), torch.Generator())["image"]
    assert done.channel == "first"
    assert done.spatial_shape == volume.spatial_shape == (4, 3)
    assert torch.equal(done.as_batch(), volume.as_batch())
    assert done.data.is_contiguous()
