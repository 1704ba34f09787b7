"""ScaleShiftIntensity: conformance, ranges, and what a shift is measured in."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from tests.drawn import uniform
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.intensity.scale_shift_intensity import Contrast, ScaleShiftIntensity


class TestScaleShiftIntensity(TransformSuite):
    def make(self, dims: int) -> ScaleShiftIntensity:
        return ScaleShiftIntensity("image", scale=0.3, shift=0.2)


class TestWithoutShift(TransformSuite):
    def make(self, dims: int) -> ScaleShiftIntensity:
        return ScaleShiftIntensity("image", shift=0.0)


def test_scales_then_shifts_by_standard_deviations() -> None:
    data = uniform(2, 6, 5) * 10
    parameters = Contrast(torch.tensor([[1.5, 1.0]]), torch.tensor([[0.5, -2.0]]))
    done = (
        ScaleShiftIntensity("image").apply(Sample({"image": Volume(data, channel="first")}), parameters)["image"].data
    )
    assert torch.allclose(done[0], data[0] * 1.5 + 0.5 * data[0].std(correction=0))
    assert torch.allclose(done[1], data[1] - 2 * data[1].std(correction=0), atol=1e-5)


def test_ranges() -> None:
    sample = example_sample((4, 3))
    draws = [ScaleShiftIntensity("image", scale=0.3).draw(sample, torch.Generator().manual_seed(i)) for i in range(200)]
    scales, shifts = torch.stack([d.scales for d in draws]), torch.stack([d.shifts for d in draws])
    assert 0.7 <= scales.min() < 0.72
    assert 1.28 < scales.max() <= 1.3
    assert -0.1 <= shifts.min() < -0.09
    assert scales.shape == (200, 1, 2)


def test_probability_0_changes_nothing() -> None:
    sample = example_sample((4, 3))
    done = ScaleShiftIntensity("image", probability=0.0)(sample, torch.Generator().manual_seed(0))
    assert torch.equal(done["image"].data, sample["image"].data)


def test_fields_of_different_channels_share_the_draw() -> None:
    sample = Sample({"a": Volume(uniform(1, 4, 3), channel="first"), "b": Volume(uniform(2, 4, 3), channel="first")})
    transform = ScaleShiftIntensity("a,b")
    parameters = transform.draw(sample, torch.Generator().manual_seed(0))
    assert parameters.scales.shape == (1, 2)
    assert transform.apply(sample, parameters)["a"].data.shape == (1, 4, 3)


def test_whole_numbers_may_come_in() -> None:
    sample = Sample({"image": Volume(torch.tensor([[0, 5]], dtype=torch.int16))})
    assert ScaleShiftIntensity("image")(sample, torch.Generator())["image"].data.dtype == torch.float32
