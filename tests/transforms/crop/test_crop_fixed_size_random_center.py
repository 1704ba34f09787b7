"""CropFixedSizeRandomCenter: conformance, one place for all fields, every place in reach."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.crop.crop_fixed_size_random_center import CropFixedSizeRandomCenter


class TestCropFixedSizeRandomCenter(TransformSuite):
    inverts = True
    changes_places = True

    def make(self, dims: int) -> CropFixedSizeRandomCenter:
        return CropFixedSizeRandomCenter(["image", "label"], size=(5, 4, 4)[:dims])

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (5, 4, 4)[: len(shape)]


class TestLargerThanTheVolume(TransformSuite):
    inverts = True
    changes_places = True

    def make(self, dims: int) -> CropFixedSizeRandomCenter:
        return CropFixedSizeRandomCenter(["image", "label"], size=(5, 9, 4)[:dims])

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (5, 9, 4)[: len(shape)]


def test_every_place_has_its_turn_and_none_leaves_the_volume() -> None:
    crop, sample = CropFixedSizeRandomCenter("image", size=(3, 4)), example_sample((5, 5))
    starts = {tuple(crop.draw(sample, torch.Generator().manual_seed(s)).starts[0].tolist()) for s in range(200)}
    assert starts == {(i, j) for i in range(3) for j in range(2)}


def test_each_member_of_a_batch_has_its_own_place() -> None:
    batch = Volume(uniform(20, 1, 6, 6), channel="first", batched=True)
    crop = CropFixedSizeRandomCenter("image", size=(3, 3))
    starts = crop.draw(Sample({"image": batch}), torch.Generator().manual_seed(0)).starts
    assert len(starts.unique(dim=0)) > 5


def test_a_size_of_another_number_of_axes_is_refused() -> None:
    with pytest.raises(DataError, match="expected 3 spatial axes"):
        CropFixedSizeRandomCenter("image", size=(3, 3, 3))(example_sample((5, 5)), torch.Generator())
