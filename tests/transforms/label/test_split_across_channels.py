"""SplitAcrossChannels: one field per channel, in every layout."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import example_sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.label.split_across_channels import SplitAcrossChannels


def test_one_field_per_channel() -> None:
    sample = example_sample((5, 4, 3))
    split = SplitAcrossChannels("image", channel_names=["a", "b"])
    done = split.apply(sample, NOTHING)
    for number, name in enumerate("ab"):
        assert torch.equal(done[name].data, sample["image"].data[number : number + 1])
        assert done[name].affine is sample["image"].affine
    assert split.fields == ("image",)


def test_channels_last_and_a_batch() -> None:
    data = torch.rand(2, 5, 4, 3)
    sample = Sample({"model": Volume(data, channel="last", batched=True)})
    done = SplitAcrossChannels("model", channel_names=["a", "b", "c"]).apply(sample, NOTHING)
    assert torch.equal(done["c"].data, data[..., 2:])


def test_a_name_too_many_is_a_field_of_0_and_a_channel_too_many_is_left() -> None:
    done = SplitAcrossChannels("image", channel_names=["a", "b", "c"]).apply(example_sample((5, 4)), NOTHING)
    assert done["c"].data.shape == (1, 5, 4)
    assert not done["c"].data.any()
    one = SplitAcrossChannels("image", channel_names=["a"]).apply(example_sample((5, 4)), NOTHING)
    assert sorted(one.fields) == ["a", "image", "label"]


def test_names_that_are_none() -> None:
    with pytest.raises(ConfigError, match="channel_names: found"):
        SplitAcrossChannels("image", channel_names=[])
