"""ScaleIntensityOscillation: conformance, one constant per crop, and its range."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from tests.drawn import uniform
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.intensity.scale_intensity_oscillation import ScaleIntensityOscillation


class TestScaleIntensityOscillation(TransformSuite):
    def make(self, dims: int) -> ScaleIntensityOscillation:
        return ScaleIntensityOscillation("image", magnitude=0.3, probability=0.8)


def test_adds_one_constant_to_each_crop() -> None:
    batch = Volume(uniform(50, 1, 4, 3), channel="first", batched=True)
    transform = ScaleIntensityOscillation("image", magnitude=0.3, probability=1)
    done = transform(Sample({"image": batch}), torch.Generator().manual_seed(0))["image"].data - batch.data
    constants = done.flatten(1)
    assert (constants.amax(1) - constants.amin(1)).max() < 1e-6
    assert 0.25 < constants.abs().max() <= 0.3 + 1e-6
    assert constants[:, 0].unique().numel() == 50


def test_probability_0_gives_the_volume_itself() -> None:
    sample = example_sample((4, 3))
    done = ScaleIntensityOscillation("image", magnitude=0.3, probability=0.0)(sample, torch.Generator())
    assert done["image"] is sample["image"]


def test_probability_is_per_crop() -> None:
    batch = Sample({"image": Volume(torch.zeros(200, 1, 2, 2), channel="first", batched=True)})
    transform = ScaleIntensityOscillation("image", magnitude=1.0, probability=0.1)
    values = transform.draw(batch, torch.Generator().manual_seed(0)).values
    assert 5 < int((values != 0).sum()) < 40


def test_whole_numbers_may_come_in() -> None:
    sample = Sample({"image": Volume(torch.tensor([[0, 5]], dtype=torch.int16))})
    done = ScaleIntensityOscillation("image", magnitude=0.5, probability=1)(sample, torch.Generator().manual_seed(0))[
        "image"
    ].data
    assert done.dtype == torch.float32
