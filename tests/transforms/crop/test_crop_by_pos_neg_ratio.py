"""CropByPosNegRatio: conformance, batches, padding, and the label that is cropped as well."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio


class TestCropByPosNegRatio(TransformSuite):
    inverts = True
    changes_places = True
    makes_batch = True
    takes_batch = False

    def make(self, dims: int) -> CropByPosNegRatio:
        return CropByPosNegRatio((3, 4, 2)[:dims], "image", label_field="label", batch_size=4)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (3, 4, 2)[: len(shape)]


def test_makes_a_batch_and_crops_the_label_too() -> None:
    done = CropByPosNegRatio((4, 4, 4), "image", batch_size=3)(
        example_sample((8, 6, 5)), torch.Generator().manual_seed(0)
    )
    assert done["image"].data.shape == (3, 2, 4, 4, 4)
    assert done["label"].data.shape == (3, 1, 4, 4, 4)
    assert done["label"].data.dtype == torch.uint8
    assert done["image"].batched
    assert done["image"].affine is None


def test_a_volume_smaller_than_the_crop_is_padded_with_zeros() -> None:
    sample = example_sample((3, 6, 2))
    done = CropByPosNegRatio((5, 4, 4), ["image", "label"])(sample, torch.Generator().manual_seed(0))["image"].data
    assert done.shape == (1, 2, 5, 4, 4)
    assert (done[:, :, 0] == 0).all()
    assert (done[:, :, 4] == 0).all()
    assert (done[:, :, 1:4, :, 1:3] > 0).all()


def test_only_foreground_centres() -> None:
    label = torch.zeros(1, 20, 20, dtype=torch.uint8)
    label[0, 3, 17] = 1
    sample = Sample({"image": Volume(uniform(1, 20, 20), channel="first"), "label": Volume(label, channel="first")})
    crop = CropByPosNegRatio((5, 5), "image", pos=1, neg=0, batch_size=6)
    assert crop(crop.prepare(sample), torch.Generator().manual_seed(0))["label"].data.flatten(1).any(dim=1).all()


def test_a_label_without_foreground_gives_crops() -> None:
    sample = example_sample((6, 5)).with_fields(label=Volume(torch.zeros(1, 6, 5), channel="first"))
    done = CropByPosNegRatio((3, 3), "image", neg=0, batch_size=2)(sample, torch.Generator().manual_seed(0))
    assert done["image"].data.shape == (2, 2, 3, 3)


def test_old_arguments_change_nothing() -> None:
    sample = example_sample((6, 5))
    one, two = (
        CropByPosNegRatio((3, 3), "image", batches_to_gen_at_once=count)(sample, torch.Generator().manual_seed(0))
        for count in (1, 48)
    )
    assert torch.equal(one["image"].data, two["image"].data)


def test_a_second_batching_crop_is_refused() -> None:
    crop = CropByPosNegRatio((3, 3), "image")
    once = crop(example_sample((6, 5)), torch.Generator())
    with pytest.raises(DataError, match="keep one batching crop in the chain"):
        crop(once, torch.Generator())
