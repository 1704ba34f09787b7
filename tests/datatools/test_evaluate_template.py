"""The evaluation config: the grid the prediction comes back to, and a metric per class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from tests.datatools.fingerprints import sized
from vesalia.datatools.evaluate_template import evaluate_config
from vesalia.datatools.train_template import train_config

CLASSES = ("background", "liver", "Left kidney")


def test_images_are_prepared_as_in_training() -> None:
    sizes = sized()
    training = train_config(sizes)["train"]["pre_transforms"]
    evaluation = evaluate_config(sizes, CLASSES)["pre_transforms"]
    assert [step["name"] for step in evaluation] == [
        "LoadNifti",
        "ConvertToChannelsFirst",
        "ScaleByResolution",
        "ScaleIntensityRange",
    ]
    assert evaluation[2]["args"] == training[2]["args"]
    assert evaluation[3] == training[4]


def test_images_are_turned_as_in_training_and_labels_are_not() -> None:
    config = evaluate_config(replace(sized(), is_canonical=True), CLASSES)
    assert config["pre_transforms"][0]["args"] == {"fields": "image", "as_closest_canonical": True}
    assert config["label_transforms"][0]["args"] == {"fields": "label"}


def test_probabilities_come_back_to_the_original_grid_before_they_are_decided() -> None:
    names = [step["name"] for step in evaluate_config(sized(), CLASSES)["post_transforms"]]
    assert names == ["RestoreOriginalShape", "ArgmaxAcrossChannels", "SplitBasedOnLabel"]


def test_labels_stay_on_their_own_grid() -> None:
    names = [step["name"] for step in evaluate_config(sized(), CLASSES)["label_transforms"]]
    assert names == ["LoadNifti", "ConvertToChannelsFirst", "SplitBasedOnLabel"]


def test_a_metric_for_the_mean_and_one_per_class() -> None:
    metrics = [metric["args"] for metric in evaluate_config(sized(), CLASSES)["val_metrics"]]
    assert [args["name"] for args in metrics] == ["mean_dice", "dice_liver", "dice_left_kidney"]
    assert (metrics[0]["field"], metrics[0]["label_field"], metrics[0]["num_classes"]) == ("model", "label", 3)
    assert (metrics[2]["field"], metrics[2]["label_field"]) == ("pred_class2", "label_class2")


def test_metric_fields_exist() -> None:
    config = evaluate_config(sized(), CLASSES)
    made = {"model", "label"}
    made.update(
        config["post_transforms"][-1]["args"]["label_names"], config["label_transforms"][-1]["args"]["label_names"]
    )
    for metric in config["val_metrics"]:
        assert {metric["args"]["field"], metric["args"]["label_field"]} <= made


def test_names_that_would_be_one_get_numbers() -> None:
    metrics = evaluate_config(sized(), ("background", "A b", "a-B", "肝"))["val_metrics"]
    assert [metric["args"]["name"] for metric in metrics[1:]] == ["dice_class1", "dice_class2", "dice_class3"]


def test_predictions_are_written_as_small_numbers() -> None:
    (writer,) = evaluate_config(sized(), CLASSES)["writers"]
    assert (writer["name"], writer["args"]["field"], writer["args"]["dtype"]) == ("WriteNifti", "model", "uint8")
