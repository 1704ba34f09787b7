"""CropByPosNegRatioLabelOnly: conformance, and what stays whole."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.crop.crop_by_pos_neg_ratio_label_only import CropByPosNegRatioLabelOnly


class TestCropByPosNegRatioLabelOnly(TransformSuite):
    changes_places = True
    makes_batch = True
    takes_batch = False
    inverts = True

    def make(self, dims: int) -> CropByPosNegRatioLabelOnly:
        return CropByPosNegRatioLabelOnly((3, 4, 2)[:dims], batch_size=4)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (3, 4, 2)[: len(shape)]


def test_the_image_stays_whole_unless_it_is_listed() -> None:
    sample = example_sample((8, 6))
    alone = CropByPosNegRatioLabelOnly((3, 3), batch_size=2)(sample, torch.Generator().manual_seed(0))
    listed = CropByPosNegRatioLabelOnly((3, 3), "image", batch_size=2)(sample, torch.Generator().manual_seed(0))
    assert alone["image"] is sample["image"]
    assert listed["image"].data.shape == (2, 2, 3, 3)
    assert torch.equal(alone["label"].data, listed["label"].data)


def test_the_label_is_cropped_as_by_the_other_name() -> None:
    sample = example_sample((8, 6))
    one = CropByPosNegRatioLabelOnly((3, 3), batch_size=5)(sample, torch.Generator().manual_seed(0))
    two = CropByPosNegRatio((3, 3), "image", batch_size=5)(sample, torch.Generator().manual_seed(0))
    assert torch.equal(one["label"].data, two["label"].data)
