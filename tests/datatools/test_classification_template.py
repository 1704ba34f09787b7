"""Configs of a classification, by what the labels are."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.datatools.pictures import class_folders, picture_list
from vesalia.datatools.classification_template import classification_card, classification_train_config
from vesalia.datatools.labelled_pictures import LabelledPictures, read_labelled_pictures
from vesalia.datatools.new_archive import new_archive
from vesalia.datatools.picture_scan import PictureSizes, scan_pictures
from vesalia.mmar.validate import plan_evaluation, plan_training


def configured(folder: Path) -> tuple[LabelledPictures, PictureSizes]:
    data = read_labelled_pictures(folder)
    return data, scan_pictures(data, memory_bytes=10**9)


LABELS: dict[str, list[Any]] = {
    "findings": [[0, 1], [1, 0], [1, 1]],
    "classes": [2, 0, 1],
    "both": [[0, 2], [1, 0], [1, 1]],
}


@pytest.mark.parametrize(
    ("kind", "loss", "activation"),
    [
        ("findings", "BinaryClassificationLoss", "sigmoid"),
        ("classes", "MulticlassClassificationLoss", "softmax"),
        ("both", "MulticlassClassificationLoss", "sigmoid"),
    ],
)
def test_the_archive_passes_the_check_without_a_warning(tmp_path: Path, kind: str, loss: str, activation: str) -> None:
    archive = new_archive(tmp_path / "new", data=picture_list(tmp_path / "data", LABELS[kind]), task="classification")
    plan = plan_training(archive)
    assert (plan.loss.name, plan.model.args["final_activation"]) == (loss, activation)
    assert plan.loss.args.get("label_format") == ((1, 3) if kind == "both" else None)
    assert (plan.warnings, plan_evaluation(archive, do_validation=True).warnings) == ((), ())
    assert plan.validate is not None
    assert plan.validate.key_metric is not None
    assert plan.validate.key_metric.name == "ComputeAUC"


def test_the_network_and_the_drawing_follow_the_pictures(tmp_path: Path) -> None:
    data, sizes = configured(class_folders(tmp_path, {"a": 4, "b": 16}))
    deep = replace(sizes, is_deep=True)
    found = [classification_train_config(data, each)["train"] for each in (sizes, deep)]
    assert [part["model"]["name"] for part in found] == ["Alexnet", "DenseNet121"]
    assert found[0]["image_pipeline"]["args"]["category_weights"] == [1.0, 1.0]
    assert "DenseNet121, 16 per step" in classification_card(data, deep)
