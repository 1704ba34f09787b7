"""ArgmaxAcrossChannels: conformance, ties, and many classes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.post.argmax_across_channels import ArgmaxAcrossChannels


class TestArgmaxAcrossChannels(TransformSuite):
    def make(self, dims: int) -> ArgmaxAcrossChannels:
        return ArgmaxAcrossChannels("image")

    def dtype_after(self, field: str, dtype: torch.dtype) -> torch.dtype:
        return torch.uint8


def _argmax(data: torch.Tensor) -> torch.Tensor:
    return ArgmaxAcrossChannels("model").apply(Sample({"model": Volume(data, channel="first")}), NOTHING)["model"].data


@pytest.mark.parametrize("classes", [2, 3, 7, 300])
def test_agrees_with_torch(classes: int) -> None:
    data = uniform(classes, 6, 5, 4)
    assert torch.equal(_argmax(data).long(), data.argmax(dim=0, keepdim=True))


def test_the_first_wins_a_tie() -> None:
    data = torch.tensor([0.2, 0.4, 0.4]).view(3, 1, 1)
    assert _argmax(data).tolist() == [[[1]]]


def test_channels_last() -> None:
    volume = Volume(torch.tensor([[[0.1, 0.9]]]), channel="last")
    done = ArgmaxAcrossChannels("model").apply(Sample({"model": volume}), NOTHING)["model"].data
    assert done.tolist() == [[[1]]]


def test_a_single_channel_is_refused() -> None:
    with pytest.raises(DataError, match="found 1 channel"):
        ArgmaxAcrossChannels("label").apply(example_sample((4, 3)), NOTHING)
