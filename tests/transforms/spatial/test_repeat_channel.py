"""RepeatChannel: one after the other, in every layout, and the first copy back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.imaging.volume import ChannelAxis, Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.spatial.repeat_channel import RepeatChannel


class TestRepeatChannel(TransformSuite):
    inverts = True

    def make(self, dims: int) -> RepeatChannel:
        return RepeatChannel("image", repeat_times=3)


def test_one_after_the_other() -> None:
    image = Volume(torch.tensor([[[1.0]], [[2.0]]]), channel="first")
    done = RepeatChannel("image", repeat_times=2)(Sample({"image": image}), torch.Generator())["image"]
    assert done.data.flatten().tolist() == [1.0, 2.0, 1.0, 2.0]


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize(("channel", "shape"), [("none", (4, 3)), ("first", (2, 4, 3)), ("last", (4, 3, 2))])
def test_every_layout_there_and_back(*, channel: ChannelAxis, shape: tuple[int, ...], batched: bool) -> None:
    shape = (5, *shape) if batched else shape
    volume = Volume(uniform(*shape), channel=channel, batched=batched)
    sample, repeat = Sample({"image": volume}), RepeatChannel("image", repeat_times=3)
    done = repeat(sample, torch.Generator())
    assert done["image"].channel == ("first" if channel == "none" else channel)
    assert done["image"].as_batch().shape[1] == 3 * volume.as_batch().shape[1]
    back = repeat.invert(done, NOTHING, like=sample)["image"]
    assert back.channel == channel
    assert torch.equal(back.data, volume.data)
