"""Classification through the command line: synthesize, check, train, evaluate, infer, and go on with infer."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.tiny_classification import make_archive
from vesalia.api import Archive
from vesalia.cli.main import app
from vesalia.datatools.new_archive import new_archive

pytestmark = pytest.mark.slow


def call(*words: object) -> dict[str, Any]:
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained archive."""
    folder = tmp_path_factory.mktemp("classification")
    call("data", "synthesize", folder / "data", "--task", "classification", "--cases", 24, "--size", 32)
    made = make_archive(folder / "mmar", folder / "data" / "dataset.json")
    call("check", made)
    trained = call("train", made)
    assert trained["key_metric"] == "Average_AUC"
    return made


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_evaluate(archive: Path) -> None:
    answer = call("evaluate", archive)
    assert 0 <= answer["metrics"]["Average_AUC"]["mean"] <= 1
    assert set(answer["metrics"]["Average_AUC"]["per_class"]) == {"nodule", "effusion", "catheter"}
    report = (archive / "eval" / "report.html").read_text(encoding="utf-8")
    assert all(word in report for word in ("ROC", "sensitivity", "probability of the truth", "catheter"))
    rows = rows_of(archive / "eval" / "metrics.csv")
    findings = ["nodule", "effusion", "catheter"]
    assert list(rows[0]) == ["subject", "image", *findings, *(f"{name} (truth)" for name in findings)]
    raw = (archive / "eval" / "Average_AUC_raw_results.txt").read_text().splitlines()
    assert (len(rows), len(raw)) == (6, 7)
    assert (archive / "eval" / "effusion_AUC_summary_results.txt").exists()


def test_infer_writes_one_table_and_goes_on(archive: Path, tmp_path: Path) -> None:
    answer = call("infer", archive, "-o", tmp_path / "out")
    (table,) = map(Path, answer["files"])
    before = table.read_text()
    assert [row["subject"] for row in rows_of(table)] == [f"chest_0{n}" for n in range(19, 25)]
    (tmp_path / "out" / "chest_020" / "prediction.json").unlink()
    table.unlink()
    resumed = call("infer", archive, "-o", tmp_path / "out", "--resume")
    assert [case["subject"] for case in resumed["cases"]] == ["chest_020"]
    assert table.read_text() == before


def test_infer_one_picture(archive: Path, tmp_path: Path) -> None:
    picture = next((archive.parent / "data" / "images").glob("*.png"))
    answer = call("infer", archive, picture, "-o", tmp_path / "out")
    assert [row["subject"] for row in rows_of(Path(answer["files"][0]))] == [picture.stem]


def as_published(labels: int) -> dict[str, Any]:
    """A chest X-ray config as archives of v3 have it: colour by repetition, many labels, an area for each of them."""
    source = {"data_list_file_path": "{DATASET_JSON}", "data_file_base_dir": "{DATA_ROOT}"}
    pipeline = {
        **source,
        "data_list_key": "training",
        "output_crop_size": [32, 32],
        "output_data_format": "channels_first",
        "output_batch_size": 6,
        "output_data_dims": 2,
        "output_image_channels": 3,
        "output_label_format": [1] * labels,
        "num_workers": 2,
        "prefetch_size": 6,
    }
    head: list[dict[str, Any]] = [
        {"name": "LoadPng", "args": {"fields": "image"}},
        {"name": "ConvertToChannelsFirst", "args": {"fields": "image"}},
        {"name": "RepeatChannel", "args": {"fields": "image", "repeat_times": 3}},
        {"name": "CenterData", "args": {"fields": "image", "subtrahend": [2.5, 2.5, 2.5], "divisor": [2.0, 2.0, 2.0]}},
    ]
    crop = {"fields": "image", "lower_size": [28, 28], "max_displacement": 2.0, "keep_aspect": True}
    area = {"field": "model", "label_field": "label", "report_path": "{MMAR_EVAL_OUTPUT_PATH}"}
    own = ({"field": "found"}, {"label_field": "true"})
    each = [
        {"name": "ComputeAUC", "args": {**area, **own[number % 2], "name": f"AUC_{number}", "class_index": number}}
        for number in range(labels)
    ]
    return {
        "epochs": 1,
        "num_training_epoch_per_valid": 1,
        "learning_rate": 2e-4,
        "multi_gpu": False,
        "train": {
            "model": {"name": "Alexnet", "args": {"num_classes": labels, "num_feat": "8,8,8,8,8,16,16"}},
            "loss": {"name": "BinaryClassificationLoss"},
            "optimizer": {"name": "Adam"},
            "aux_ops": [
                {"name": "ComputeAccuracy", "args": {"tag": "accuracy", "use_sigmoid": True}},
                {"name": "ComputeBinaryPreds", "args": {"binary_preds_name": "found", "binary_labels_name": "true"}},
            ],
            "pre_transforms": [
                *head,
                {"name": "CropRandomSizeWithDisplacement", "args": crop},
                {"name": "ScaleToShape#Shape", "args": {"fields": "image", "target_shape": [32, 32]}},
                {"name": "RandomAxisFlip", "args": {"fields": "image", "probability": 0.5}},
                {"name": "RandomRotate2D", "args": {"fields": "image", "angle": 7, "is_random": True}},
            ],
            "image_pipeline": {"name": "ClassificationImagePipeline", "args": pipeline},
        },
        "validate": {
            "pre_transforms": [*({"ref": step["name"]} for step in head), {"ref": "Shape"}],
            "image_pipeline": {
                "name": "ClassificationImagePipeline",
                "args": {**pipeline, "data_list_key": "validation"},
            },
            "inferer": {"name": "TFSimpleInferer"},
            "metrics": [
                {"name": "ComputeAUC", "args": {**area, "name": "Average_AUC", "is_key_metric": True}},
                *each,
            ],
        },
    }


def test_a_config_as_archives_of_v3_have_it(archive: Path, tmp_path: Path) -> None:
    published = make_archive(tmp_path / "mmar", archive.parent / "data" / "dataset.json", train=as_published(3))
    config = "config/config_train.json"
    assert call("check", published, "-c", config)["ok"]
    answer = call("train", published, "-c", config)
    assert answer["key_metric"] == "Average_AUC"
    assert 0 <= answer["best_metric"] <= 1


def test_findings_that_have_no_names_are_numbered_and_none_is_the_background(archive: Path, tmp_path: Path) -> None:
    listed = json.loads((archive.parent / "data" / "dataset.json").read_text())
    listed.pop("labels", None)
    (tmp_path / "dataset.json").write_text(json.dumps(listed))
    published = make_archive(tmp_path / "mmar", archive.parent / "data" / "dataset.json", train=as_published(3))
    data = [f"DATASET_JSON={tmp_path / 'dataset.json'}", f"DATA_ROOT={archive.parent / 'data'}"]
    call("train", published, "-c", "config/config_train.json", *(word for each in data for word in ("--set", each)))
    card = json.loads((published / "models" / "model.json").read_text())
    assert card["class_names"] == ["class_0", "class_1", "class_2"]


def test_an_archive_that_new_wrote(archive: Path, tmp_path: Path) -> None:
    made = Archive(new_archive(tmp_path / "mmar", data=archive.parent / "data", task="classification"))
    assert made.check().ok
    made.train(overrides={"epochs": 1}, device="cpu")
    assert made.check().ok
    assert 0 <= made.evaluate(device="cpu").metrics["Average_AUC"].overall.mean <= 1
    made.infer(device="cpu")
    assert len(rows_of(tmp_path / "mmar" / "eval" / "classification_results.csv")) == 6


def test_a_label_that_is_too_short_is_told_by_the_check_of_a_trained_archive(archive: Path, tmp_path: Path) -> None:
    listed = json.loads((archive.parent / "data" / "dataset.json").read_text())
    listed["validation"][0]["label"] = [1, 0]
    (tmp_path / "dataset.json").write_text(json.dumps(listed))
    overrides = {"DATASET_JSON": str(tmp_path / "dataset.json")}
    (fault,) = Archive(archive).check(config="config/config_validation.json", overrides=overrides).faults
    assert (fault.found, fault.expected) == ("2 numbers", "3, as output_label_format [1, 1, 1] says")
