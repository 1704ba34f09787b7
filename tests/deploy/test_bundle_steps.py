"""Steps in MONAI's words: what has a counterpart is translated, what has none is named with its place."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from vesalia.deploy.bundle_steps import PREDICTION, monai_post, monai_pre
from vesalia.errors import ConfigError

WRITER = {"name": "WriteNifti", "args": {"field": "model", "dtype": "uint8"}}


def step(name: str, **args: Any) -> dict[str, Any]:
    """A step of an exported plan."""
    return {"name": name, "args": args}


def ranged(**more: Any) -> dict[str, Any]:
    """A step that scales the image."""
    given = {"a_min": -100.0, "a_max": None, "a_offset": 300.0, "b_min": 0.0, "b_max": 1.0}
    return step("ScaleIntensityRange", fields=["image"], **given, clip=True, dtype="float32", **more)


def test_a_range_by_its_length_gets_an_upper_end() -> None:
    (node,) = monai_pre([ranged()], is_label=True)
    assert (node["_target_"], node["a_min"], node["a_max"], node["clip"]) == (
        "ScaleIntensityRanged",
        -100.0,
        200.0,
        True,
    )


def test_a_crop_of_the_middle_pads_first() -> None:
    nodes = monai_pre([step("CropSubVolumeCenter", fields=["image"], size=[4, 5, 6])], is_label=True)
    assert [node["_target_"] for node in nodes] == ["SpatialPadd", "CenterSpatialCropd"]


def test_all_steps_without_a_counterpart_are_named_at_once() -> None:
    steps = [step("LoadPng", fields=["image"]), ranged(), step("CropSubVolumeCenter", fields=["other"], size=[4, 4, 4])]
    with pytest.raises(ConfigError) as error:
        monai_pre(steps, is_label=True)
    assert "pre_transforms[0]: found LoadPng" in str(error.value)
    assert "pre_transforms[2]: found CropSubVolumeCenter" in str(error.value)


def test_labels_go_back_by_the_nearest_voxel() -> None:
    nodes, nearest = monai_post([step("ArgmaxAcrossChannels", fields=["model"])], [WRITER])
    assert nearest
    assert [node["_target_"] for node in nodes] == ["AsDiscreted", "Invertd", "SaveImaged"]
    assert {node["keys"] for node in nodes} == {PREDICTION}


def test_masks_for_metrics_are_left_out() -> None:
    masks = step("SplitBasedOnLabel", field="model", label_names=["a", "b"])
    with_masks, _ = monai_post([step("ArgmaxAcrossChannels"), masks], [WRITER])
    without, _ = monai_post([step("ArgmaxAcrossChannels")], [WRITER])
    assert with_masks == without


@pytest.mark.parametrize(
    ("steps", "writers", "found"),
    [
        ([step("SplitAcrossChannels")], [WRITER], r"post_transforms\[0\]: found SplitAcrossChannels"),
        ([], [{"name": "WritePng", "args": {"field": "model"}}], "writers: found WritePng"),
        ([], [WRITER, WRITER], "writers: found 2 of them"),
    ],
)
def test_what_cannot_be_said_is_refused(steps: list[Any], writers: list[Any], found: str) -> None:
    with pytest.raises(ConfigError, match=found):
        monai_post(steps, writers)
