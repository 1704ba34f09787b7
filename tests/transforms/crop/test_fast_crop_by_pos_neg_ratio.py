"""FastCropByPosNegRatio: conformance, and the crops of the other name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.crop.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio


class TestFastCropByPosNegRatio(TransformSuite):
    inverts = True
    changes_places = True
    makes_batch = True
    takes_batch = False

    def make(self, dims: int) -> FastCropByPosNegRatio:
        return FastCropByPosNegRatio((3, 4, 2)[:dims], "image", label_field="label", batch_size=4)

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (3, 4, 2)[: len(shape)]


def test_gives_the_crops_of_the_other_name() -> None:
    sample = example_sample((8, 6, 5))
    one, two = (
        kind((4, 4, 4), "image", batch_size=3)(sample, torch.Generator().manual_seed(2))
        for kind in (CropByPosNegRatio, FastCropByPosNegRatio)
    )
    assert torch.equal(one["image"].data, two["image"].data)
