"""The conformance suite of transforms: it must find a transform that breaks a rule."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample, oblique_affine, row
from vesalia.transforms.base import Deterministic, Transform, change_fields
from vesalia.transforms.spatial.flips import Flips
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip

SHAPE = (8, 6, 5)


def _suite(transform: Transform[Any], **rules: bool) -> TransformSuite:
    class Suite(TransformSuite):
        def make(self, dims: int) -> Transform[Any]:
            return transform

    for name, value in rules.items():
        setattr(Suite, name, value)
    return Suite()


class Changes(Deterministic):
    """A transform that changes its image in some wrong way."""

    fields = ("image",)

    def __init__(self, change: Any) -> None:
        self.change = change

    def transform(self, sample: Sample) -> Sample:
        return change_fields(sample, ["image"], change=self.change)


class Global(Changes):
    """One that throws dice of its own."""

    def __init__(self) -> None:
        super().__init__(lambda volume: replace(volume, data=volume.data + torch.rand(())))


class ImageOnlyFlip(RandomSpatialFlip):
    """One that forgets the label."""

    def apply(self, sample: Sample, parameters: Flips) -> Sample:
        return sample.with_fields(image=super().apply(sample, parameters)["image"])


class LazyAffine(RandomSpatialFlip):
    """One that moves voxels and keeps the affine."""

    def apply(self, sample: Sample, parameters: Flips) -> Sample:
        done = super().apply(sample, parameters)
        return done.with_fields(**{name: replace(done[name], affine=sample[name].affine) for name in self.fields})


class FirstRowForAll(RandomSpatialFlip):
    """One that moves every member of a batch like the first."""

    def apply(self, sample: Sample, parameters: Flips) -> Sample:
        return super().apply(sample, Flips(parameters.axes[:1].expand_as(parameters.axes)))


class ForgetsToTurnBack(RandomSpatialFlip):
    """One whose inverse leaves voxels where they are."""

    def invert(self, sample: Sample, parameters: Flips, *, like: Sample) -> Sample:
        return sample.with_fields(**{name: replace(sample[name], affine=like[name].affine) for name in self.fields})


class ForgetsTheAffine(RandomSpatialFlip):
    """One whose inverse turns voxels back, and says they lie elsewhere."""

    def invert(self, sample: Sample, parameters: Flips, *, like: Sample) -> Sample:
        back = super().invert(sample, parameters, like=like)
        return back.with_fields(**{name: replace(back[name], affine=np.eye(4)) for name in self.fields})


class FirstBackForAll(RandomSpatialFlip):
    """One whose inverse turns every member of a batch back like the first."""

    def invert(self, sample: Sample, parameters: Flips, *, like: Sample) -> Sample:
        return super().invert(sample, Flips(parameters.axes[:1].expand_as(parameters.axes)), like=like)


class FirstAxisIsChannels(Changes):
    """One that takes the first axis for the channels."""

    def __init__(self) -> None:
        super().__init__(lambda volume: replace(volume, data=volume.data - volume.data.mean(0)))


def test_a_good_transform_passes() -> None:
    suite = _suite(RandomSpatialFlip(["image", "label"]), changes_places=True, undoes_itself=True, inverts=True)
    for check in (
        suite.test_gives_the_right_shape_and_type,
        suite.test_leaves_its_input_alone,
        suite.test_depends_on_its_generator_alone,
        suite.test_batch_equals_one_by_one,
        suite.test_moves_image_and_label_alike,
        suite.test_affine_says_where_voxels_lie,
        suite.test_undoes_itself,
        suite.test_inverse_puts_voxels_back,
        suite.test_inverse_of_a_batch_equals_one_by_one,
        suite.test_channels_last_give_the_same,
    ):
        check(SHAPE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda volume: replace(volume, data=volume.data.double()), "expected torch.float32"),
        (lambda volume: replace(volume, data=volume.data[:, 1:]), "found shape"),
        (lambda volume: replace(volume, data=volume.data[0], channel="none"), "found channel 'none'"),
        (lambda volume: replace(volume, data=volume.data[None], batched=True), "found batched True"),
    ],
)
def test_finds_a_wrong_result(change: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        _suite(Changes(change)).test_gives_the_right_shape_and_type(SHAPE)


def test_finds_a_change_in_place() -> None:
    with pytest.raises(AssertionError, match="changed in place"):
        _suite(Changes(lambda volume: replace(volume, data=volume.data.add_(1)))).test_leaves_its_input_alone(SHAPE)


def test_finds_global_dice() -> None:
    with pytest.raises(AssertionError, match="found two results for one seed"):
        _suite(Global()).test_depends_on_its_generator_alone(SHAPE)


def test_finds_a_random_transform_that_is_not() -> None:
    still = RandomSpatialFlip("image", probability=0.0)
    with pytest.raises(AssertionError, match="found results that vary: False"):
        _suite(still).test_depends_on_its_generator_alone(SHAPE)


def test_finds_a_label_that_stays_behind() -> None:
    suite = _suite(ImageOnlyFlip(["image", "label"]), changes_places=True)
    with pytest.raises(AssertionError, match="image and label to lie apart"):
        suite.test_moves_image_and_label_alike(SHAPE)


def test_finds_an_affine_that_stays_behind() -> None:
    suite = _suite(LazyAffine(["image", "label"]), changes_places=True)
    with pytest.raises(AssertionError, match="mm from where the affine says"):
        suite.test_affine_says_where_voxels_lie(SHAPE)


def test_finds_a_transform_that_moves_voxels_and_says_it_does_not() -> None:
    with pytest.raises(AssertionError, match="found another affine"):
        _suite(RandomSpatialFlip("image")).test_affine_says_where_voxels_lie(SHAPE)


def test_finds_members_that_are_treated_alike() -> None:
    suite = _suite(FirstRowForAll(["image", "label"]), changes_places=True)
    with pytest.raises(AssertionError, match="to differ from it alone"):
        suite.test_batch_equals_one_by_one(SHAPE)


def test_finds_what_is_not_its_own_inverse() -> None:
    twice = Changes(lambda volume: replace(volume, data=volume.data * 2))
    with pytest.raises(AssertionError, match="other voxels after there and back"):
        _suite(twice, undoes_itself=True).test_undoes_itself(SHAPE)


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        (ForgetsToTurnBack(["image", "label"], probability=1.0), "voxels off after there and back"),
        (ForgetsTheAffine(["image", "label"]), "found another affine after there and back"),
    ],
)
def test_finds_an_inverse_that_is_none(transform: RandomSpatialFlip, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        _suite(transform, inverts=True).test_inverse_puts_voxels_back(SHAPE)


def test_finds_an_inverse_that_nobody_promised() -> None:
    with pytest.raises(AssertionError, match="found inverts False, expected what it is"):
        _suite(RandomSpatialFlip("image")).test_inverse_puts_voxels_back(SHAPE)


def test_finds_members_that_are_put_back_alike() -> None:
    with pytest.raises(AssertionError, match="to differ from it alone"):
        _suite(FirstBackForAll(["image", "label"]), inverts=True).test_inverse_of_a_batch_equals_one_by_one(SHAPE)


def test_finds_a_transform_for_one_layout_only() -> None:
    with pytest.raises(AssertionError, match="found channels last to differ"):
        _suite(FirstAxisIsChannels()).test_channels_last_give_the_same(SHAPE)


def test_rows_of_parameters() -> None:
    @dataclass(frozen=True)
    class Two:
        numbers: torch.Tensor
        name: str

    part = row(Two(torch.arange(6).view(3, 2), "a"), 1)
    assert part.numbers.tolist() == [[2, 3]]
    assert part.name == "a"
    assert row("nothing", 1) == "nothing"


def test_examples_are_the_same_each_time() -> None:
    assert torch.equal(example_sample(SHAPE)["image"].data, example_sample(SHAPE)["image"].data)
    assert isinstance(example_sample(SHAPE)["label"], Volume)
    affine = oblique_affine()
    assert np.allclose(np.linalg.norm(affine[:3, :3], axis=0), (1.5, 0.8, 2.0))
