"""ScaleByFactor: conformance, sizes, and labels known by their name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite
from vesalia.transforms.spatial.scale_by_factor import ScaleByFactor


class TestScaleByFactor(TransformSuite):
    changes_places = True
    same_geometry = False  # the label is read by the nearest voxel, the image is not
    inverts = True

    def make(self, dims: int) -> ScaleByFactor:
        return ScaleByFactor(["image", "label"], factor=1.5)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {(7, 6): (11, 9), (8, 6, 5): (12, 9, 8)}[shape]


def _shape(factor: float | Sequence[float]) -> tuple[int, ...]:
    sample = Sample({"image": Volume(torch.zeros(8, 6))})
    return ScaleByFactor("image", factor=factor)(sample, torch.Generator())["image"].spatial_shape


def test_sizes() -> None:
    assert [_shape(factor) for factor in (0.5, [0.5, 2], 0.001)] == [(4, 3), (4, 12), (1, 1)]


@pytest.mark.parametrize(("is_label", "values"), [(None, 2), (True, 2), (False, 4)])
def test_a_label_is_known_by_its_name_unless_the_config_says(is_label: bool | None, values: int) -> None:
    sample = Sample({"label": Volume(torch.tensor([[0.0, 8.0], [0.0, 8.0]]))})
    done = ScaleByFactor("label", factor=2, is_label=is_label)(sample, torch.Generator())
    assert len(done["label"].data.unique()) == values


@pytest.mark.parametrize("factor", [0.0, -1.0, [], [1.0, 0.0], [1.0] * 4])
def test_factors_that_are_none(factor: float | Sequence[float]) -> None:
    with pytest.raises(ConfigError, match="factor: found"):
        ScaleByFactor("image", factor=factor)
