"""RandomZoom: conformance, with and without keeping the size, and what is cut or filled."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.spatial.random_zoom import RandomZoom, Zooms


class TestKeepsItsSize(TransformSuite):
    changes_places = True
    same_geometry = False  # the label is read by the nearest voxel, the image is not
    inverts = True

    def make(self, dims: int) -> RandomZoom:
        return RandomZoom(lower_limits=(0.8, 0.8, 0.8)[:dims], upper_limits=(1.2, 1.2, 1.2)[:dims])


class TestSizeFollows(TransformSuite):
    changes_places = True
    same_geometry = False
    takes_batch = False
    inverts = True
    inverse_error_voxels = 1.0  # the label came through fewer voxels

    def make(self, dims: int) -> RandomZoom:
        return RandomZoom(lower_limits=0.6, upper_limits=1.4, keep_size=False)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {(7, 6): (9, 4), (8, 6, 5): (10, 4, 4)}[shape]


def _zoomed(image: torch.Tensor, factors: list[float]) -> torch.Tensor:
    sample = Sample({"image": Volume(image), "label": Volume(image)})
    zoom = RandomZoom(lower_limits=0.5, upper_limits=2.0)
    return zoom.apply(sample, Zooms(torch.tensor([factors])))["image"].data


def test_above_1_shows_the_middle_larger() -> None:
    image = torch.arange(8.0).view(8, 1).expand(8, 8)
    assert torch.allclose(_zoomed(image, [2.0, 1.0])[:, 0], 3.5 + (torch.arange(8.0) - 3.5) / 2)


def test_below_1_leaves_zeros_around() -> None:
    done = _zoomed(torch.ones(8, 8), [0.5, 0.5])
    assert done.sum() == 16
    assert (done[2:6, 2:6] == 1).all()


def test_factors_are_drawn_per_axis_and_member_and_now_and_then_only() -> None:
    batch = Volume(uniform(200, 1, 4, 4), channel="first", batched=True)
    zoom = RandomZoom(lower_limits=[0.8, 1.0], upper_limits=[0.9, 1.5], probability=0.5)
    factors = zoom.draw(Sample({"image": batch, "label": batch}), torch.Generator().manual_seed(0)).factors
    still = (factors == 1).all(dim=1)
    assert 70 < int(still.sum()) < 130
    moving = factors[~still]
    assert float(moving[:, 0].min()) >= 0.8
    assert float(moving[:, 0].max()) <= 0.9
    assert float(moving[:, 1].max()) <= 1.5
    assert len(moving.unique(dim=0)) == len(moving)


def test_a_batch_cannot_change_its_size() -> None:
    batch = Volume(uniform(2, 1, 4, 4), channel="first", batched=True)
    zoom = RandomZoom(lower_limits=0.5, upper_limits=2.0, keep_size=False)
    with pytest.raises(DataError, match="write keep_size: true"):
        zoom(Sample({"image": batch, "label": batch}), torch.Generator())


@pytest.mark.parametrize(
    ("lower", "upper"), [(1.2, 0.8), (0.0, 1.0), ([0.8, 0.8], [1.0, 1.0, 1.0]), ([1.0] * 4, [1.0] * 4), ([], 1.0)]
)
def test_limits_that_are_none(lower: float | Sequence[float], upper: float | Sequence[float]) -> None:
    with pytest.raises(ConfigError, match="lower_limits, upper_limits: found"):
        RandomZoom(lower_limits=lower, upper_limits=upper)


def test_a_limit_may_serve_all_axes() -> None:
    zoom = RandomZoom(lower_limits=0.9, upper_limits=[1.0, 1.1, 1.2])
    assert zoom.lower_limits == (0.9, 0.9, 0.9)
    assert zoom(example_sample((4, 4, 4)), torch.Generator())["image"].spatial_shape == (4, 4, 4)
