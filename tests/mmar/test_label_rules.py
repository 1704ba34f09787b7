"""The rules of classification, on whole configs."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tiny_classification import make_archive, make_data, train_config
from vesalia.errors import ConfigError
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.validate import plan_evaluation, plan_training


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("rules") / "data", cases=2)


@pytest.fixture
def config() -> dict[str, Any]:
    return train_config()


def plan(config: dict[str, Any], dataset: Path, tmp_path: Path, *settings: str) -> TrainPlan:
    return plan_training(make_archive(tmp_path / "mmar", dataset, train=config), overrides=settings)


def with_format(config: dict[str, Any], *widths: int) -> dict[str, Any]:
    config["train"]["image_pipeline"]["args"]["output_label_format"] = list(widths)
    config["train"]["model"]["args"]["num_classes"] = sum(widths)
    return config


def test_a_sound_config(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    assert plan(config, dataset, tmp_path).warnings == ()


def test_without_a_format_nothing_is_judged(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    del config["train"]["image_pipeline"]["args"]["output_label_format"]
    config["train"]["model"]["args"]["num_classes"] = 7
    assert plan(config, dataset, tmp_path).warnings == ()


def test_channels_that_are_not_those_of_the_format(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    config["train"]["model"]["args"]["num_classes"] = 4
    with pytest.raises(ConfigError, match=r"train.model.args.num_classes: found 4, expected 3.*; write 3"):
        plan(config, dataset, tmp_path)


def test_a_binary_loss_for_classes(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'train.loss.name: found "BinaryClassificationLoss", .*Multiclass'):
        plan(with_format(config, 1, 3), dataset, tmp_path)


@pytest.mark.parametrize("own", [None, [3, 1]])
def test_readers_of_uneven_labels_must_know_them(
    config: dict[str, Any], dataset: Path, tmp_path: Path, own: list[int] | None
) -> None:
    config = with_format(config, 1, 3)
    config["train"]["loss"] = {"name": "MulticlassClassificationLoss", "args": {"label_format": own}}
    with pytest.raises(ConfigError) as caught:
        plan(config, dataset, tmp_path)
    keys = ["train.loss.args", "train.aux_ops[0].args", "validate.metrics[0].args"]
    assert [fault.key for fault in caught.value.faults] == [f"{key}.label_format" for key in keys]
    assert {fault.write for fault in caught.value.faults} == {"[1, 3]"}


def test_windows_give_no_vector(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    config["validate"]["inferer"] = {"name": "TFScanWindowInferer", "args": {"roi_size": [32, 32]}}
    with pytest.raises(ConfigError, match=r'found "TFScanWindowInferer", .*write "TFSimpleInferer"'):
        plan(config, dataset, tmp_path)


def test_a_task_that_the_pipeline_does_not_do(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    (warning,) = plan(config, dataset, tmp_path, "PROCESSING_TASK=segmentation").warnings
    assert (warning.key, warning.write) == ("PROCESSING_TASK", '"classification"')


def test_other_pipelines_are_left_alone(config: dict[str, Any], dataset: Path, tmp_path: Path) -> None:
    config["train"]["image_pipeline"]["name"] = "SegmentationImagePipeline"
    del config["train"]["image_pipeline"]["args"]["output_label_format"]
    del config["validate"]
    warnings = plan(config, dataset, tmp_path, "PROCESSING_TASK=classification").warnings
    assert [warning.write for warning in warnings] == ['"segmentation"']


def test_the_example_in_the_repository_is_sound(dataset: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "chest_xray_like"
    if not (example / "config").is_dir():
        pytest.skip("the examples are not here: tests are run from an installed package")
    settings = [f"DATA_ROOT={dataset.parent}", f"DATASET_JSON={dataset}"]
    assert plan_training(example, overrides=settings).warnings == ()
    assert plan_evaluation(example, overrides=settings).warnings == ()
