"""RandomRotate2D: conformance, always the same or drawn, by hand, and every layout."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.drawn import integers, uniform
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, cubic_sample, example_sample
from vesalia.transforms.compose import Compose
from vesalia.transforms.spatial.random_rotate_2d import RandomRotate2D


class TestDrawn(TransformSuite):
    changes_places = True
    same_geometry = False  # the label is read by the nearest voxel, the image is not
    inverts = True

    def sample(self, shape: tuple[int, ...], *, seed: int = 0) -> Sample:
        return cubic_sample(shape, seed=seed)  # a batch does not know its spacing

    def make(self, dims: int) -> RandomRotate2D:
        return RandomRotate2D(["image", "label"], angle=15, is_random=True)


class TestAlwaysTheSame(TestDrawn):
    def make(self, dims: int) -> RandomRotate2D:
        return RandomRotate2D(["image", "label"], angle=25)


def test_a_quarter_turn_by_hand() -> None:
    image = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    turned = RandomRotate2D("image", angle=90)(Sample({"image": Volume(image)}), torch.Generator())
    assert turned["image"].data.tolist() == image.rot90(-1).tolist()


def test_in_a_volume_every_slice_turns_alike() -> None:
    slices = uniform(6, 6)
    volume = Volume(slices.unsqueeze(-1).repeat(1, 1, 4))
    turned = RandomRotate2D("image", angle=20)(Sample({"image": volume}), torch.Generator())["image"].data
    alone = RandomRotate2D("image", angle=20)(Sample({"image": Volume(slices)}), torch.Generator())["image"].data
    assert torch.allclose(turned, alone.unsqueeze(-1).expand_as(turned), atol=1e-5)


def test_angles_stay_within_what_was_asked_and_each_crop_has_its_own() -> None:
    batch = Sample({"image": Volume(uniform(400, 1, 4, 4), channel="first", batched=True)})
    rotate = RandomRotate2D("image", angle=15, is_random=True, probability=0.5)
    angles = rotate.draw(batch, torch.Generator().manual_seed(0)).angles
    assert math.radians(14) < float(angles.abs().max()) <= math.radians(15) + 1e-6
    assert 150 < int((angles == 0).sum()) < 250
    assert len(angles.unique()) > 100


def test_one_that_is_not_random_can_be_cached() -> None:
    still, drawn = RandomRotate2D("image", angle=5), RandomRotate2D("image", angle=5, is_random=True)
    assert [step.deterministic for step in (still, drawn)] == [True, False]
    assert [len(part.transforms) for part in Compose([still, drawn]).split_deterministic()] == [1, 1]


def test_labels_keep_their_values_and_type() -> None:
    sample = Sample({"image": Volume(uniform(9, 9)), "label": Volume(integers(3, (9, 9)).float() * 7)})
    done = RandomRotate2D("image,label", angle=33)(sample, torch.Generator())
    assert set(done["label"].data.unique().tolist()) <= {0.0, 7.0, 14.0}


@pytest.mark.parametrize("channel", ["none", "last"])
def test_other_layouts(channel: str) -> None:
    data = uniform(5, 6)
    shaped = data if channel == "none" else data.unsqueeze(-1)
    volume = Volume(shaped, channel="none" if channel == "none" else "last")
    done = RandomRotate2D("image", angle=20)(Sample({"image": volume}), torch.Generator())["image"]
    wanted = RandomRotate2D("image", angle=20)(Sample({"image": Volume(data)}), torch.Generator())["image"]
    assert done.data.shape == shaped.shape
    assert torch.equal(done.data.view(5, 6), wanted.data)


def test_an_image_of_one_voxel_stays() -> None:
    one = example_sample((1, 1))
    assert RandomRotate2D("image", angle=45)(one, torch.Generator())["image"].spatial_shape == (1, 1)
