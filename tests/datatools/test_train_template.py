"""The training config: its shape, and what follows from the sizes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.datatools.fingerprints import sized
from vesalia.datatools.train_template import intensity_step, train_config


def names(steps: list[dict[str, Any]]) -> list[str]:
    return [step["name"] for step in steps]


def test_cached_steps_come_before_those_with_chance() -> None:
    assert names(train_config(replace(sized(), is_mirrored=True))["train"]["pre_transforms"]) == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleByResolution#ScaleImage",
        "ScaleByResolution#ScaleLabel",
        "ScaleIntensityRange",
        "FastCropByPosNegRatio",
        "RandomSpatialFlip",
        "ScaleShiftIntensity",
        "ScaleIntensityOscillation",
    ]


def test_no_crop_is_mirrored_where_sides_count() -> None:
    config = train_config(replace(sized(), is_mirrored=False))
    assert not any("Flip" in name for name in names(config["train"]["pre_transforms"]))


@pytest.mark.parametrize("canonical", [True, False])
def test_axes_are_turned_on_loading_image_and_label(canonical: bool) -> None:
    load = train_config(replace(sized(), is_canonical=canonical))["train"]["pre_transforms"][0]
    assert load["args"]["fields"] == ["image", "label"]
    assert load["args"].get("as_closest_canonical", False) is canonical


def test_validation_refers_to_the_steps_of_the_training() -> None:
    config = train_config(sized(modality="MRI"))
    handles = {name.rpartition("#")[2] for name in names(config["train"]["pre_transforms"])}
    wanted = [step["ref"] for step in config["validate"]["pre_transforms"]]
    assert wanted == ["LoadNifti", "ConvertToChannelsFirst", "ScaleImage", "ScaleLabel", "NormalizeNonzeroIntensities"]
    assert set(wanted) <= handles


def test_only_labels_are_resampled_as_labels() -> None:
    image, label = train_config(sized())["train"]["pre_transforms"][2:4]
    assert (image["args"]["fields"], image["args"].get("is_label")) == ("image", None)
    assert (label["args"]["fields"], label["args"]["is_label"]) == ("label", True)


def test_sizes_stand_where_they_belong() -> None:
    sizes = replace(sized(), channels=2, items_per_batch=3, crops_per_item=2, cached_items=7, replace_percent=0.2)
    config = train_config(sizes)
    pipeline = config["train"]["image_pipeline"]["args"]
    assert pipeline["output_batch_size"] == 3
    assert pipeline["output_image_channels"] == 2
    assert (pipeline["num_cache_objects"], pipeline["replace_percent"]) == (7, 0.2)
    crop = config["train"]["pre_transforms"][5]["args"]
    assert (crop["size"], crop["batch_size"]) == ([48, 48, 32], 2)
    assert config["validate"]["inferer"]["args"]["roi_size"] == [48, 48, 32]
    assert config["train"]["model"]["args"]["num_classes"] == 3
    assert config["epochs"] % config["num_training_epoch_per_valid"] == 0


@pytest.mark.parametrize("cached", [True, False])
def test_validation_is_cached_where_there_is_room(cached: bool) -> None:
    pipeline = train_config(replace(sized(), cache_validation=cached))["validate"]["image_pipeline"]
    assert pipeline["name"] == "SegmentationImagePipeline" + ("WithCache" if cached else "")
    assert pipeline["args"].get("num_cache_objects") == (5 if cached else None)
    assert pipeline["args"]["shuffle"] is False


def test_one_metric_decides() -> None:
    (metric,) = train_config(sized())["validate"]["metrics"]
    assert metric["args"]["is_key_metric"] is True


def test_the_window_is_cut_off_at_both_ends() -> None:
    args = intensity_step(sized(), fields="image")["args"]
    assert args == {
        "fields": "image", "a_min": -20.0, "a_max": 211.0, "b_min": 0.0, "b_max": 1.0, "clip": True,
    }  # fmt: skip
