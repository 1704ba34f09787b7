"""FastPosNegRatioCropROI: conformance plain and warped, with and without a batch axis."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI

SIZE = (5, 4, 4)


class TestPlain(TransformSuite):
    inverts = True
    changes_places = True
    takes_batch = False

    def make(self, dims: int) -> FastPosNegRatioCropROI:
        return FastPosNegRatioCropROI(SIZE[:dims])

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return SIZE[: len(shape)]


class TestTurnedAndScaled(TestPlain):
    same_geometry = False  # the label is read by the nearest voxel, the image is not

    def make(self, dims: int) -> FastPosNegRatioCropROI:
        return FastPosNegRatioCropROI(SIZE[:dims], rotation=True, scale=True, scale_factor=0.2)


class TestBent(TestTurnedAndScaled):
    follows_affine = False  # no affine says a bend
    inverse_error_voxels = 0.2  # bends are straight between voxels on the way there, but not on the way back

    def make(self, dims: int) -> FastPosNegRatioCropROI:
        return FastPosNegRatioCropROI(SIZE[:dims], deform=True)


class TestBatch(TestTurnedAndScaled):
    makes_batch = True
    inverse_error_voxels = 0.5

    def make(self, dims: int) -> FastPosNegRatioCropROI:
        return FastPosNegRatioCropROI(SIZE[:dims], deform=True, rotation=True, scale=True, batch_size=3)


def _ball(size: int = 32) -> Sample:
    axes = torch.meshgrid(*[torch.arange(size) - size / 2] * 3, indexing="ij")
    ball = (torch.stack(axes).square().sum(0) < 80).to(torch.uint8).unsqueeze(0)
    return Sample({"image": Volume(ball.float(), channel="first"), "label": Volume(ball, channel="first")})


@pytest.mark.parametrize("batch_size", [None, 4])
def test_image_and_label_are_warped_alike(batch_size: int | None) -> None:
    crop = FastPosNegRatioCropROI((24, 24, 24), deform=True, rotation=True, scale=True, batch_size=batch_size, neg=0)
    done = crop(crop.prepare(_ball()), torch.Generator().manual_seed(0))
    image, label = done["image"].data > 0.5, done["label"].data > 0
    overlap = 2 * (image & label).sum() / (image.sum() + label.sum())
    assert overlap > 0.97
    assert done["label"].data.dtype == torch.uint8


def test_gives_a_batch_axis_where_a_batch_size_is_given() -> None:
    sample = example_sample((8, 6, 5))
    shapes = [
        FastPosNegRatioCropROI(SIZE, batch_size=count)(sample, torch.Generator())["image"].data.shape
        for count in (None, 1, 2)
    ]
    assert shapes == [(2, *SIZE), (1, 2, *SIZE), (2, 2, *SIZE)]


def test_warps_stay_within_what_was_asked() -> None:
    crop = FastPosNegRatioCropROI(
        SIZE, rotation=True, rotation_degree=20, scale=True, scale_factor=0.1, deform=True, batch_size=300
    )
    warps = crop.draw(example_sample((8, 6, 5)), torch.Generator().manual_seed(0))
    assert 0.34 < warps.angles.abs().max() <= 0.3491
    assert 0.9 <= warps.scales.min() < 0.92
    assert warps.bends.abs().amax(dim=(0, 2, 3, 4)).tolist() == pytest.approx([5 / 16, 4 / 16, 4 / 16], rel=0.01)


def test_what_is_not_asked_for_is_not_done() -> None:
    warps = FastPosNegRatioCropROI(SIZE).draw(example_sample((8, 6, 5)), torch.Generator().manual_seed(0))
    assert not warps.angles.any()
    assert (warps.scales == 1).all()
    assert not warps.bends.any()


def test_a_larger_crop_pads() -> None:
    done = FastPosNegRatioCropROI((12, 12, 12))(example_sample((8, 6, 5)), torch.Generator().manual_seed(0))["image"]
    assert done.data.shape == (2, 12, 12, 12)
    assert int((done.data > 0).sum()) == 2 * 8 * 6 * 5
