"""AddGaussianNoise: conformance, and that it is the variance that is given."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.intensity.add_gaussian_noise import AddGaussianNoise


class TestAddGaussianNoise(TransformSuite):
    def make(self, dims: int) -> AddGaussianNoise:
        return AddGaussianNoise("image", probability=0.8)


def test_variance_and_mean() -> None:
    sample = Sample({"image": Volume(torch.full((60, 60, 10), 3.0))})
    done = AddGaussianNoise("image", probability=1.0, variance=0.04)(sample, torch.Generator().manual_seed(0))["image"]
    assert abs(done.data.mean() - 3) < 0.01
    assert abs(done.data.var() - 0.04) < 0.001


def test_each_field_and_each_crop_has_its_own_noise() -> None:
    batch = Volume(torch.zeros(2, 1, 4, 3), channel="first", batched=True)
    sample = Sample({"a": batch, "b": batch})
    done = AddGaussianNoise("a,b", probability=1.0)(sample, torch.Generator().manual_seed(0))
    assert not torch.equal(done["a"].data, done["b"].data)
    assert not torch.equal(done["a"].data[0], done["a"].data[1])


def test_probability_0_gives_the_volume_itself() -> None:
    sample = example_sample((4, 3))
    assert AddGaussianNoise("image", probability=0.0)(sample, torch.Generator())["image"] is sample["image"]


def test_some_crops_only() -> None:
    batch = Volume(torch.zeros(100, 1, 2, 2), channel="first", batched=True)
    done = AddGaussianNoise("image")(Sample({"image": batch}), torch.Generator().manual_seed(0))["image"].data
    assert 30 < int(done.flatten(1).any(dim=1).sum()) < 70


def test_whole_numbers_may_come_in() -> None:
    sample = Sample({"image": Volume(torch.tensor([[0, 5]], dtype=torch.int16))})
    done = AddGaussianNoise("image", probability=1.0)(sample, torch.Generator().manual_seed(0))["image"].data
    assert done.dtype == torch.float32
