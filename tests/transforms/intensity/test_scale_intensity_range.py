"""ScaleIntensityRange: conformance, the map, the clip, and the two ways to say the upper end."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.base import NOTHING
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange


class TestScaleIntensityRange(TransformSuite):
    def make(self, dims: int) -> ScaleIntensityRange:
        return ScaleIntensityRange("image", a_min=0.2, a_max=1.1, b_min=-1, b_max=1, clip=True)


class TestScaleIntensityRangeUnclipped(TransformSuite):
    def make(self, dims: int) -> ScaleIntensityRange:
        return ScaleIntensityRange("image", a_min=0.2, a_offset=0.5, b_min=-1.0, b_max=2.0)


def _scaled(scale: ScaleIntensityRange, values: list[float]) -> torch.Tensor:
    return scale.apply(Sample({"image": Volume(torch.tensor(values).view(1, -1))}), NOTHING)["image"].data[0]


def test_maps_the_ends() -> None:
    scale = ScaleIntensityRange("image", a_min=-57, a_max=164)
    assert torch.allclose(_scaled(scale, [-57, 164, 53.5, 385]), torch.tensor([0, 1, 0.5, 2.0]))


def test_clip_cuts_off() -> None:
    scale = ScaleIntensityRange("image", a_min=0, a_max=10, b_min=5, b_max=-5, clip=True)
    assert _scaled(scale, [-10, 0, 5, 10, 20]).tolist() == [5, 5, 0, -5, -5]


def test_offset_in_place_of_the_upper_end() -> None:
    assert ScaleIntensityRange("image", a_min=-100, a_offset=200).a_max == 100
    assert ScaleIntensityRange("image", a_min=-100, a_max=100, a_offset=200).a_max == 100


@pytest.mark.parametrize(("dtype", "kind"), [("float16", torch.float16), ("float64", torch.float64)])
def test_dtype(dtype: str, kind: torch.dtype) -> None:
    scale = ScaleIntensityRange("image", a_min=0, a_max=10, dtype="float16" if dtype == "float16" else "float64")
    assert _scaled(scale, [5.0]).dtype == kind
    assert _scaled(scale, [5.0]).item() == 0.5


def test_whole_numbers_may_come_in() -> None:
    image = Volume(torch.tensor([[0, 5]], dtype=torch.int16))
    done = ScaleIntensityRange("image", a_min=0, a_max=10).apply(Sample({"image": image}), NOTHING)["image"].data
    assert done.tolist() == [[0.0, 0.5]]


@pytest.mark.parametrize(
    ("a_max", "a_offset", "message"),
    [
        (None, None, "neither a_max nor a_offset"),
        (0.0, None, "the same as a_min"),
        (10.0, 20.0, "a_max 10.0 and a_offset 20.0"),
        (None, 0.0, "the same as a_min"),
    ],
)
def test_ranges_that_are_none(a_max: float | None, a_offset: float | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScaleIntensityRange("image", a_min=0.0, a_max=a_max, a_offset=a_offset)
