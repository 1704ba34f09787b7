"""Channels and sizes after a chain of transforms."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from vesalia.mmar.batch_shape import Channels, channels_through, size_through
from vesalia.mmar.plan import ComponentPlan
from vesalia.registry.registry import find

BOTH = ("image", "label")


def step(name: str, **args: Any) -> ComponentPlan:
    target = find("transform", name)
    assert target is not None
    return ComponentPlan("transform", name, name, target, args, name)


def monai(name: str, **arguments: Any) -> ComponentPlan:
    return step("MonaiTransform", path=f"monai.transforms.{name}", arguments=arguments)


def foreign() -> ComponentPlan:
    found = find("transform", "LoadNifti")
    assert found is not None
    target = type(found)(found.module, found.qualname, "custom", found.file)
    return ComponentPlan("transform", "Mine", "Mine", target, {}, "custom")


LOAD = step("LoadNifti", fields=BOTH)


@pytest.mark.parametrize(
    ("steps", "channels"),
    [
        ([], (1, 0)),
        ([step("RepeatChannel", fields=("image",), repeat_times=3)], (3, 0)),
        ([step("RepeatChannel", fields=("label",), repeat_times=3)], (1, 0)),
        ([monai("RepeatChanneld", keys=("image",), repeats=2)], (2, 0)),
        ([step("AddExtremePointsChannel", image_field="image", label_field="label")], (1, 1)),
        (
            [step("AddExtremePointsChannel", image_field="image", label_field="label", points_channel_field="points")],
            (1, 0),
        ),
        (
            [step("AddExtremePointsChannel", image_field="x", label_field="label", points_channel_field="image")],
            (0, 1),
        ),
        (
            [
                step("AddExtremePointsChannel", image_field="image", label_field="label"),
                step("RepeatChannel", fields=("image",), repeat_times=2),
            ],
            (2, 2),
        ),
        ([step("ConvertToMultiChannelBasedOnLabel", fields="image", labels=(1, 2, 4, 5))], (0, 4)),
        ([step("ConvertToMultiChannelBasedOnLabel", fields="image", class_names=("a", "b"))], (0, 2)),
        ([step("ConvertToMultiChannelBasedOnBratsClasses", fields="image")], (0, 3)),
        ([monai("ConvertToMultiChannelBasedOnBratsClassesd", keys="image")], (0, 3)),
        ([step("SplitAcrossChannels", field="x", channel_names=("image", "y"))], (0, 1)),
        ([step("ArgmaxAcrossChannels", fields="image")], (0, 1)),
        ([foreign(), step("ArgmaxAcrossChannels", fields="image")], (0, 1)),
        ([monai("ConcatItemsd", keys=("x", "y"))], (1, 0)),
    ],
)
def test_channels_that_can_be_told(steps: list[ComponentPlan], channels: tuple[int, int]) -> None:
    found = channels_through([LOAD, *steps], "image")
    assert found is not None
    assert (found.times, found.more) == channels


@pytest.mark.parametrize(
    "unknown",
    [
        foreign(),
        monai("ConcatItemsd", keys=("image", "label")),
        step("LoadImageMasksFromNumpy", fields="image"),
        monai("RepeatChanneld", keys="image"),
    ],
)
def test_channels_that_cannot_be_told(unknown: ComponentPlan) -> None:
    assert channels_through([unknown, LOAD], "image") is None


def test_which_files_give_the_channels() -> None:
    assert [Channels(3, 0).stored(wanted) for wanted in (1, 3, 6)] == [None, 1, 2]
    assert [Channels(1, 1).stored(wanted) for wanted in (1, 2)] == [None, 1]
    assert Channels(0, 3).stored(3) is None
    assert Channels(2, 1).of(3) == 7


CROP = step("CropFixedSizeRandomCenter", fields=BOTH, size=(16, 16, 16))


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ([CROP], (16, 16, 16)),
        ([step("ScaleToShape", fields="image", target_shape=(9, 9, 9))], (9, 9, 9)),
        ([step("FastPosNegRatioCropROI", image_field="image", size=(8, 8, 8))], (8, 8, 8)),
        ([step("CropFixedSizeRandomCenter", fields="image", size=(12,))], (12, 12, 12)),
        ([CROP, step("SymmetricPadderDiv", fields="image", div_int=12)], (24, 24, 24)),
        ([CROP, step("SymmetricPadderDiv", fields="image", div_int=(12, 1, 20))], (24, 16, 20)),
        ([CROP, step("RandomSpatialFlip", fields="image")], (16, 16, 16)),
        ([CROP, step("ScaleByFactor", fields="label", factor=2)], (16, 16, 16)),
        ([CROP, monai("RandGaussianNoised", keys="image")], (16, 16, 16)),
        ([monai("RandCropByPosNegLabeld", keys=BOTH, spatial_size=(8, 8, 8))], (8, 8, 8)),
    ],
)
def test_sizes_that_can_be_told(steps: list[ComponentPlan], size: tuple[int, ...]) -> None:
    found = size_through([LOAD, *steps], "image", axes=3)
    assert found is not None
    assert found[0] == size


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [CROP, foreign()],
        [CROP, step("ScaleByFactor", fields="image", factor=2)],
        [CROP, step("RandomZoom", image_field="image", keep_size=False)],
        [CROP, monai("RandRotate90d", keys="image")],
        [CROP, step("SymmetricPadderDiv", fields="image", div_int=(2, 2))],
        [CROP, step("CropFixedSizeRandomCenter", fields="image", size=(8, -1, 8))],
        [step("CropFixedSizeRandomCenter", fields="image", size=(8, 8))],
        [monai("RandCropByPosNegLabeld", keys=BOTH, spatial_size=(8, 8, 8), allow_smaller=True)],
        [step("SymmetricPadderDiv", fields="image", div_int=4)],
    ],
)
def test_sizes_that_cannot_be_told(steps: list[ComponentPlan]) -> None:
    assert size_through([LOAD, *steps], "image", axes=3) is None
