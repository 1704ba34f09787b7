"""ScaleBySpacing: conformance, and the result of ScaleByResolution."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution
from vesalia.transforms.spatial.scale_by_spacing import ScaleBySpacing


class TestScaleBySpacing(TransformSuite):
    changes_places = True
    same_geometry = False  # the label is read by the nearest voxel, the image is not
    takes_batch = False  # the spacing of a batch is not known
    inverts = True

    def make(self, dims: int) -> ScaleBySpacing:
        return ScaleBySpacing(["image", "label"], target_spacing=(1.0,))

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {(7, 6): (11, 5), (8, 6, 5): (12, 5, 10)}[shape]


def test_gives_what_the_other_name_gives() -> None:
    sample = example_sample((8, 6, 5))
    one = ScaleBySpacing("image", target_spacing=(1.0, 2.0, 1.5))(sample, torch.Generator())["image"]
    two = ScaleByResolution("image", target_resolution=(1.0, 2.0, 1.5))(sample, torch.Generator())["image"]
    assert torch.equal(one.data, two.data)
    assert np.array_equal(one.placed, two.placed)


def test_a_spacing_of_zero_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"target_spacing: found \[0.0\]"):
        ScaleBySpacing("image", target_spacing=(0.0,))
