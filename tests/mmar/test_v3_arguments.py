"""What old configs name and this version calls otherwise, or has no use for."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.mmar.archives import training
from vesalia.mmar.v3_arguments import current_name, without_effect


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
