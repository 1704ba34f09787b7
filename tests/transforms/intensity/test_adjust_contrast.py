"""AdjustContrast: conformance, and the power by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.intensity.adjust_contrast import AdjustContrast, Exponents


class TestAdjustContrast(TransformSuite):
    def make(self, dims: int) -> AdjustContrast:
        return AdjustContrast("image", probability=0.8)


class TestAdjustContrastByOneGamma(TransformSuite):
    def make(self, dims: int) -> AdjustContrast:
        return AdjustContrast("image", gamma=2, probability=1)


def test_by_hand_and_per_channel() -> None:
    image = torch.tensor([[[10.0, 15.0, 20.0]], [[0.0, 1.0, 4.0]]])
    sample = Sample({"image": Volume(image, channel="first")})
    done = AdjustContrast("image").apply(sample, Exponents(torch.tensor([2.0])))["image"].data
    assert done.tolist() == [[[10.0, 12.5, 20.0]], [[0.0, 0.25, 4.0]]]


def test_a_gamma_of_1_changes_no_bit() -> None:
    sample = example_sample((5, 4))
    one = AdjustContrast("image", probability=0.0)(sample, torch.Generator())
    assert one["image"] is sample["image"]
    batch = Volume(torch.rand(2, 1, 5, 4), channel="first", batched=True)
    done = AdjustContrast("image").apply(Sample({"image": batch}), Exponents(torch.tensor([1.0, 3.0])))["image"].data
    assert torch.equal(done[0], batch.data[0])
    assert not torch.equal(done[1], batch.data[1])


def test_one_value_only_stays_and_whole_numbers_may_come_in() -> None:
    sample = Sample({"image": Volume(torch.full((3, 3), 7, dtype=torch.int16))})
    done = AdjustContrast("image").apply(sample, Exponents(torch.tensor([2.0])))["image"].data
    assert torch.equal(done, torch.full((3, 3), 7.0))


@pytest.mark.parametrize("gamma", [0.0, [0.0, 1.0], [2.0, 1.0]])
def test_gammas_that_are_none(gamma: float | list[float]) -> None:
    with pytest.raises(ConfigError, match="gamma: found"):
        AdjustContrast("image", gamma=gamma)
