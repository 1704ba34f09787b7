"""CenterData: conformance, given numbers, and those of the data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.intensity.center_data import CenterData


class TestCenterData(TransformSuite):
    def make(self, dims: int) -> CenterData:
        return CenterData("image", subtrahend=0.5, divisor=[2.0])


class TestCenterDataByTheDataItself(TransformSuite):
    def make(self, dims: int) -> CenterData:
        return CenterData("image")


def centred(data: torch.Tensor, **arguments: float | list[float]) -> torch.Tensor:
    return CenterData("image", **arguments).apply(Sample({"image": Volume(data)}), NOTHING)["image"].data


def test_by_hand() -> None:
    whole = torch.tensor([[100, 300]], dtype=torch.int16)
    assert centred(whole, subtrahend=200, divisor=50).tolist() == [[-2.0, 2.0]]


def test_numbers_per_channel() -> None:
    done = (
        CenterData("image", subtrahend=[1.0, 2.0], divisor=[1.0, 1.0])
        .apply(example_sample((4, 3)), NOTHING)["image"]
        .data
    )
    assert torch.allclose(done, example_sample((4, 3))["image"].data - torch.tensor([1.0, 2.0]).view(2, 1, 1))


def test_without_numbers_every_channel_has_mean_0_and_deviation_1() -> None:
    done = CenterData("image").apply(example_sample((9, 8, 7)), NOTHING)["image"].data.flatten(1)
    assert torch.allclose(done.mean(dim=1), torch.zeros(2), atol=1e-5)
    assert torch.allclose(done.std(dim=1, correction=0), torch.ones(2), atol=1e-5)


def test_a_channel_of_one_value_becomes_0() -> None:
    assert not centred(torch.full((3, 3), 7.0)).any()


def test_a_divisor_of_0_is_refused() -> None:
    with pytest.raises(ConfigError, match="divisor: found 0"):
        CenterData("image", divisor=[1.0, 0.0])


def test_numbers_must_fit_the_channels() -> None:
    with pytest.raises(ConfigError, match="subtrahend: found 3 numbers for 2 channels, expected 1 or 2"):
        CenterData("image", subtrahend=[1, 2, 3]).apply(example_sample((4, 3)), NOTHING)
