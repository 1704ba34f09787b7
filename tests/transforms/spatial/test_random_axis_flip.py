"""RandomAxisFlip: conformance, and how often what is reversed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.spatial.random_axis_flip import RandomAxisFlip


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class TestRandomAxisFlip(TransformSuite):
    inverts = True
    changes_places = True
    undoes_itself = True

    def make(self, dims: int) -> RandomAxisFlip:
        return RandomAxisFlip(["image", "label"], probability=1.0)


def test_reverses_one_axis_at_most() -> None:
    sample = example_sample((4, 3, 5))
    flips = [RandomAxisFlip("image", probability=0.7).draw(sample, generator(seed)).axes.sum() for seed in range(40)]
    assert set(map(int, flips)) == {0, 1}


def test_every_axis_has_its_turn() -> None:
    sample = example_sample((4, 3, 5))
    axes = [RandomAxisFlip("image", probability=1.0).draw(sample, generator(seed)).axes[0] for seed in range(40)]
    assert torch.stack(axes).any(dim=0).all()


def test_probability_0_never_acts_and_1_always() -> None:
    sample = example_sample((4, 3))
    for probability, acts in ((0.0, False), (1.0, True)):
        transform = RandomAxisFlip("image", probability=probability)
        found = [bool(transform.draw(sample, generator(seed)).axes.any()) for seed in range(20)]
        assert found == [acts] * 20


def test_each_crop_of_a_batch_has_its_own_throw() -> None:
    sample = example_sample((4, 3)).with_fields(image=Volume(uniform(30, 1, 4, 3), channel="first", batched=True))
    axes = RandomAxisFlip("image").draw(sample, generator(0)).axes
    assert axes.shape == (30, 2)
    assert len(axes.unique(dim=0)) > 1


def test_fields_of_different_shape_are_refused() -> None:
    sample = example_sample((4, 3)).with_fields(label=example_sample((4, 4))["label"])
    with pytest.raises(DataError, match="'label' of shape \\(4, 4\\), expected \\(4, 3\\)"):
        RandomAxisFlip(["image", "label"])(sample, generator(0))
