"""RandomSpatialFlip: conformance, and how often what is reversed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestRandomSpatialFlip(TransformSuite):
    inverts = True
    changes_places = True
    undoes_itself = True

    def make(self, dims: int) -> RandomSpatialFlip:
        return RandomSpatialFlip(["image", "label"], probability=0.5)


def test_axes_are_thrown_one_by_one() -> None:
    sample = example_sample((4, 3, 5))
    rows = {tuple(RandomSpatialFlip("image").draw(sample, generator(seed)).axes[0].tolist()) for seed in range(80)}
    assert len(rows) == 8


def test_probability_0_never_acts_and_1_always() -> None:
    sample = example_sample((4, 3))
    for probability, acts in ((0.0, False), (1.0, True)):
        transform = RandomSpatialFlip("image", probability=probability)
        found = [bool(transform.draw(sample, generator(seed)).axes.any()) for seed in range(20)]
        assert found == [acts] * 20


def test_each_crop_of_a_batch_has_its_own_throw() -> None:
    sample = example_sample((4, 3)).with_fields(image=Volume(uniform(30, 1, 4, 3), channel="first", batched=True))
    axes = RandomSpatialFlip("image").draw(sample, generator(0)).axes
    assert axes.shape == (30, 2)
    assert len(axes.unique(dim=0)) > 1


def test_fields_of_different_shape_are_refused() -> None:
    sample = example_sample((4, 3)).with_fields(label=example_sample((4, 4))["label"])
    with pytest.raises(DataError, match="'label' of shape \\(4, 4\\), expected \\(4, 3\\)"):
        RandomSpatialFlip(["image", "label"])(sample, generator(0))
