"""Names with aliases, and references that lead to the same component."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import lines, training
from vesalia.errors import ConfigError
from vesalia.mmar.references import split_name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("A", ("A", "A")),
        ("A#B", ("A", "B")),
        (" A # B ", ("A", "B")),
        ("A#", ("A", "A")),
        ("A#B#C", ("A", "B#C")),
        ("", ("", "")),
    ],
)
def test_class_and_handle(name: str, parts: tuple[str, str]) -> None:
    assert split_name(name) == parts


def test_a_reference_is_the_same_component(tmp_path: Path) -> None:
    plan = training(tmp_path / "a")
    assert plan.validate is not None
    assert [step.handle for step in plan.validate.pre_transforms] == ["LoadNifti", "ConvertToChannelsFirst", "ScaleImg"]
    for shared, own in zip(plan.validate.pre_transforms, plan.pre_transforms[:3], strict=True):
        assert shared is own


def test_a_reference_to_a_disabled_transform_is_dropped(tmp_path: Path) -> None:
    plan = training(tmp_path / "a", train__pre_transforms__2__disabled=True)
    assert plan.validate is not None
    assert [step.handle for step in plan.validate.pre_transforms] == ["LoadNifti", "ConvertToChannelsFirst"]
    assert not plan.warnings


def test_an_unknown_reference_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(tmp_path / "a", validate__pre_transforms=[{"ref": "ScaleIma"}, {"ref": "Zzz"}])
    assert lines(caught.value) == [
        (
            'config/config_train.json: validate.pre_transforms[0].ref: found "ScaleIma", expected the name or alias of '
            "a transform of this config (LoadNifti, ConvertToChannelsFirst, ScaleImg, FastPosNegRatioCropROI, "
            'RandomSpatialFlip); write "ScaleImg" (did you mean this?)'
        ),
        (
            'config/config_train.json: validate.pre_transforms[1].ref: found "Zzz", expected the name or alias of a '
            "transform of this config (LoadNifti, ConvertToChannelsFirst, ScaleImg, FastPosNegRatioCropROI, "
            "RandomSpatialFlip); write one of these, or the transform in full"
        ),
    ]


def test_a_reference_to_a_transform_that_could_not_be_read_is_no_second_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(
            tmp_path / "a", train__pre_transforms__0={"name": "Zzz#First"}, validate__pre_transforms__0={"ref": "First"}
        )
    assert [fault.key for fault in caught.value.faults] == ["train.pre_transforms[0].name"]


def test_without_transforms_there_is_nothing_to_refer_to(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a transform of this config \(none here\)"):
        training(tmp_path / "a", train__pre_transforms=[])


def test_an_ambiguous_reference_takes_the_last_and_warns(tmp_path: Path) -> None:
    scale = {"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": [1, 1, 1]}}
    label = {"name": "ScaleByResolution", "args": {"fields": "label", "target_resolution": [1, 1, 1], "is_label": True}}
    plan = training(
        tmp_path / "a",
        train__pre_transforms__2=scale,
        train__pre_transforms__4=label,
        validate__pre_transforms__2={"ref": "ScaleByResolution"},
    )
    assert plan.validate is not None
    assert plan.validate.pre_transforms[2] is plan.pre_transforms[4]
    assert [str(warning) for warning in plan.warnings] == [
        (
            'config/config_train.json: validate.pre_transforms[2].ref: found "ScaleByResolution", which 2 '
            "transforms are "
            "called, expected a name of its own (the last one is taken, train.pre_transforms[4]); write aliases, "
            "such as "
            '"ScaleByResolution#ScaleImg", and the alias in ref'
        )
    ]


def test_the_same_class_twice_without_a_reference_is_fine(tmp_path: Path) -> None:
    flip = {"name": "RandomSpatialFlip", "args": {"fields": ["image", "label"]}}
    assert not training(tmp_path / "a", train__pre_transforms__3=flip).warnings


SCALE = {"name": "ScaleByResolution#Scale", "args": {"fields": "label", "target_resolution": [1, 1, 1]}}
OTHER = {"name": "ScaleByResolution#Scale", "args": {"fields": "label", "target_resolution": [2, 2, 2]}}


@pytest.mark.parametrize("second", [SCALE, OTHER])
def test_lists_that_were_copied_may_repeat_an_alias(tmp_path: Path, second: dict[str, Any]) -> None:
    plan = training(tmp_path / "a", train__pre_transforms__2=SCALE, validate__pre_transforms__2=second)
    assert plan.validate is not None
    resolution = plan.validate.pre_transforms[2].argument("target_resolution")
    assert resolution == tuple(map(float, second["args"]["target_resolution"]))


def test_a_reference_to_either_of_two_that_are_the_same_is_clear(tmp_path: Path) -> None:
    plan = training(
        tmp_path / "a",
        train__pre_transforms__2=SCALE,
        train__pre_transforms__4=SCALE,
        validate__pre_transforms__2={"ref": "Scale"},
    )
    assert plan.validate is not None
    assert plan.validate.pre_transforms[2] is plan.pre_transforms[2]
    assert not plan.warnings


def test_a_reference_to_an_alias_of_transforms_that_differ_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        training(
            tmp_path / "a",
            train__pre_transforms__2=SCALE,
            train__pre_transforms__4=OTHER,
            validate__pre_transforms__2={"ref": "Scale"},
        )
    assert lines(caught.value) == [
        (
            'config/config_train.json: validate.pre_transforms[2].ref: found the alias "Scale" of transforms that '
            "differ (train.pre_transforms[2], train.pre_transforms[4]), expected an alias of its own for each; write "
            '"ScaleByResolution#Scale2"'
        )
    ]
