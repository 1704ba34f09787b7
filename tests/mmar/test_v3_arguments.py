"""What old configs name and this version calls otherwise, or has no use for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.mmar.archives import training
from vesalia.errors import ConfigError
from vesalia.mmar.v3_arguments import current_argument, current_name, without_effect


@pytest.mark.parametrize(
    ("slot", "component", "name", "found"),
    [
        ("optimizer", "Adam", "use_locking", True),
        ("writer", "WriteNifti", "revert_canonical", True),
        ("transform", "RandomZoom", "keep_size", True),
        ("transform", "LoadNifti", "keep_size", False),
        ("loss", "Dice", "use_locking", False),
        ("elsewhere", "Dice", "data_format", False),
    ],
)
def test_by_slot_and_by_component(slot: str, component: str, name: str, found: bool) -> None:
    assert without_effect(name, slot=slot, component=component) is found


def test_names_of_v2_are_read(tmp_path: Path) -> None:
    assert current_name("LoadNifti") == "LoadNifti"
    old = {"name": "TransformVolumeCropROIFastPosNegRatio", "args": {"size": [96, 96, 96]}}
    plan = training(
        tmp_path / "a",
        train__pre_transforms__3=old,
        validate__pre_transforms=[
            {"ref": "LoadNifti"},
            {"ref": "ConvertToChannelsFirst"},
            {"ref": "TransformVolumeCropROIFastPosNegRatio"},
        ],
    )
    assert plan.pre_transforms[3].name == "FastPosNegRatioCropROI"
    assert plan.validate is not None
    assert plan.validate.pre_transforms[2] == plan.pre_transforms[3]


def test_arguments_go_by_what_configs_call_them(tmp_path: Path) -> None:
    assert current_argument("pad", component="CropForegroundObject") == "margin"
    assert current_argument("pad", component="RandomZoom") == "pad"
    box = {"size": [96, 96, 96], "pad": 20, "foreground_only": True, "keep_classes": False, "pert": 10}
    points = {"image_field": "image", "label_field": "label", "pert": 3}
    plan = training(
        tmp_path / "a",
        train__pre_transforms__3={"name": "CropForegroundObject", "args": box},
        train__pre_transforms__4={"name": "AddExtremePointsChannel", "args": points},
        train__image_pipeline__args__output_image_channels=2,
    )
    crop, channel = plan.pre_transforms[3:5]
    assert (crop.argument("margin"), crop.argument("pert"), crop.argument("keep_classes")) == (20, 10, False)
    assert channel.argument("permutation") == 3
    assert [warning.key for warning in plan.warnings] == ["train.pre_transforms[3].args.foreground_only"]


def test_an_argument_by_both_its_names_is_a_fault(tmp_path: Path) -> None:
    box = {"size": [96, 96, 96], "pad": 20, "margin": 10}
    with pytest.raises(ConfigError, match=r"args.pad: found pad beside margin, .*expected one of them"):
        training(tmp_path / "a", train__pre_transforms__3={"name": "CropForegroundObject", "args": box})
