"""AddExtremePointsChannel: conformance, its range, and where the channel goes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.points.add_extreme_points_channel import AddExtremePointsChannel, Shifts


class TestAddExtremePointsChannel(TransformSuite):
    def make(self, dims: int) -> AddExtremePointsChannel:
        return AddExtremePointsChannel("image", "label", sigma=1.0)


class TestAddExtremePointsChannelWithDice(TransformSuite):
    def make(self, dims: int) -> AddExtremePointsChannel:
        return AddExtremePointsChannel("image", "label", permutation=2)


def shown(sample: Sample, transform: AddExtremePointsChannel) -> Sample:
    return transform(sample, torch.Generator().manual_seed(0))


def test_the_channel_is_behind_the_others_and_in_its_range() -> None:
    sample = example_sample((9, 8, 7))
    done = shown(sample, AddExtremePointsChannel("image", "label", rescale_min=0.0, rescale_max=2.0))["image"].data
    assert done.shape == (3, 9, 8, 7)
    assert torch.equal(done[:2], sample["image"].data)
    assert (done[2].min().item(), done[2].max().item()) == (0.0, 2.0)


def test_one_voxel_is_the_middle_of_the_channel() -> None:
    label = torch.zeros(7, 7, dtype=torch.uint8)
    label[2, 4] = 1
    sample = Sample({"image": Volume(torch.zeros(7, 7)), "label": Volume(label)})
    done = shown(sample, AddExtremePointsChannel("image", "label"))["image"]
    assert (done.channel, tuple(done.data.shape)) == ("first", (2, 7, 7))
    assert done.data[1].argmax() == 2 * 7 + 4
    assert done.data[1, 2, 4] == 1.0


def test_a_label_without_foreground_shows_nothing() -> None:
    sample = Sample({"image": Volume(torch.zeros(7, 7)), "label": Volume(torch.zeros(7, 7))})
    done = shown(sample, AddExtremePointsChannel("image", "label", permutation=3))["image"].data
    assert (done[1] == -1).all()


def test_a_field_of_its_own() -> None:
    sample = example_sample((6, 5))
    transform = AddExtremePointsChannel("image", "label", points_channel_field="points", dtype="float16")
    done = shown(sample, transform)
    assert done["image"] is sample["image"]
    assert done["points"].data.dtype == torch.float16
    assert done["points"].data.shape == (1, 6, 5)
    assert transform.fields == ("points",)


def test_points_are_moved_but_not_out_of_the_image() -> None:
    label = torch.zeros(5, 5)
    label[2, 2] = 1
    sample = Sample({"image": Volume(torch.zeros(5, 5)), "label": Volume(label)})
    transform = AddExtremePointsChannel("image", "label", permutation=1)
    done = transform.apply(sample, Shifts(torch.full((1, 4, 2), 9)))["image"].data
    assert done[1].argmax() == 24
    thrown = transform.draw(sample, torch.Generator().manual_seed(0)).voxels
    assert thrown.abs().max() == 1
