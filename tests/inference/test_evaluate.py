"""Evaluation from end to end on a tiny archive: numbers, files, broken cases, and the same bytes twice."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.inference.tiny import save_unet
from tests.tiny_classification import make_archive as make_classification
from tests.tiny_classification import make_data as make_radiographs
from vesalia.errors import ConfigError, DataError, Fault, Interrupted
from vesalia.imaging.nifti import read_volume
from vesalia.inference.card import model_card
from vesalia.inference.evaluate import evaluate
from vesalia.inference.weights import save_weights
from vesalia.mmar.build import Builder
from vesalia.mmar.plan import EvaluatePlan
from vesalia.mmar.validate import plan_evaluation, plan_training
from vesalia.runtime.interrupts import StopRequest


def edit_config(root: Path, **changes: object) -> None:
    path = root / "config" / "config_validation.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}))


@pytest.mark.usefixtures("echo")
def test_a_model_that_says_the_truth_scores_one_and_is_written_as_it_is(plan: EvaluatePlan) -> None:
    result = evaluate(plan)
    assert result.metrics["dice"].overall.mean == 1
    assert [case.subject for case in result.cases] == ["case_0", "case_1", "case_2"]
    for case in result.cases:
        (written,) = case.files
        assert written == plan.output_dir / case.subject / f"{case.subject}_model.nii.gz"
        said, truth = read_volume(written), read_volume(plan.data_root / "label" / f"{case.subject}.nii.gz")
        assert torch.equal(said.data, truth.data)
        assert np.allclose(said.placed, truth.placed)


@pytest.mark.usefixtures("echo")
def test_every_file_is_written(plan: EvaluatePlan) -> None:
    result = evaluate(plan)
    names = {name: path.name for name, path in result.files.items()}
    assert names == {
        "dice_raw": "dice_raw_results.txt",
        "dice_summary": "dice_summary_results.txt",
        "csv": "metrics.csv",
        "json": "metrics.json",
        "report": "report.html",
    }
    assert all(path.parent == plan.output_dir for path in result.files.values())
    rows = list(csv.DictReader(result.files["csv"].read_text(encoding="utf-8").splitlines()))
    assert [row["dice"] for row in rows] == ["1.0"] * 3
    report = result.files["report"].read_text(encoding="utf-8")
    assert report.count("<img") == 3
    assert "dice" in report
    data = json.loads(result.files["json"].read_text(encoding="utf-8"))
    assert data["metrics"]["dice"]["mean"] == 1
    assert data["config"]["inferer"]["name"] == "TFScanWindowInferer"
    assert json.loads(json.dumps(result.to_dict()))["metrics"]["dice"]["n"] == 3


def test_a_real_network_gives_the_same_scores_and_predictions_twice(root: Path, plan: EvaluatePlan) -> None:
    save_unet(root, root / "models" / "model")
    contents = []
    for _ in range(2):
        result = evaluate(plan)
        files = [result.files["json"], result.files["csv"], *(path for case in result.cases for path in case.files)]
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


@pytest.mark.usefixtures("echo")
def test_classes_split_into_fields_are_judged_one_by_one_and_an_absent_class_is_left_out(root: Path) -> None:
    split = {"field": "model", "label_names": ["said_0", "said_1", "said_2", "said_3"]}
    truth = {"field": "label", "label_names": ["true_0", "true_1", "true_2", "true_3"]}
    config = json.loads((root / "config" / "config_validation.json").read_text(encoding="utf-8"))
    edit_config(
        root,
        post_transforms=[*config["post_transforms"], {"name": "SplitBasedOnLabel", "args": split}],
        label_transforms=[*config["label_transforms"], {"name": "SplitBasedOnLabel", "args": truth}],
        val_metrics=[
            {
                "name": "ComputeAverageDice",
                "args": {"name": f"dice_{index}", "field": f"said_{index}", "label_field": f"true_{index}"},
            }
            for index in (1, 2, 3)
        ],
    )
    result = evaluate(plan_evaluation(root, do_validation=True, output_infer_result=False))
    assert result.metrics["dice_1"].overall.mean == 1
    assert result.metrics["dice_2"].overall.mean == 1
    assert result.metrics["dice_3"].overall.count == 0
    assert result.to_dict()["metrics"]["dice_3"]["mean"] is None


@pytest.mark.usefixtures("echo")
def test_broken_subjects_are_all_named_and_the_others_are_kept(plan: EvaluatePlan) -> None:
    image = plan.data_root / "image" / "case_1.nii.gz"
    image.write_bytes(image.read_bytes()[:40])
    with pytest.raises(DataError, match="1 of 3 subjects failed; the results of the other 2 are in") as caught:
        evaluate(plan)
    assert "case_1" in str(caught.value)
    data = json.loads((plan.output_dir / "metrics.json").read_text(encoding="utf-8"))
    assert [case["subject"] for case in data["cases"]] == ["case_0", "case_2"]
    assert list(data["failures"]) == ["case_1"]
    assert "case_1" in (plan.output_dir / "report.html").read_text(encoding="utf-8")
    assert not (plan.output_dir / "case_1").exists()


@pytest.mark.usefixtures("echo")
def test_nothing_is_written_when_every_subject_is_broken(plan: EvaluatePlan) -> None:
    for path in (plan.data_root / "image").iterdir():
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match="3 of 3 subjects failed; there are no results"):
        evaluate(plan)
    assert not list(plan.output_dir.rglob("*"))


@pytest.mark.usefixtures("echo")
def test_a_subject_without_a_label_cannot_be_judged(root: Path) -> None:
    path = root.parent / "data" / "dataset.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["validation"][2]["label"]
    path.write_text(json.dumps(data))
    with pytest.raises(DataError, match=r"case_2: found no label|case_2"):
        evaluate(plan_evaluation(root, do_validation=True, output_infer_result=False))


@pytest.mark.usefixtures("echo")
def test_a_label_of_another_shape_is_a_broken_subject(plan: EvaluatePlan) -> None:
    from vesalia.imaging.nifti import write_volume
    from vesalia.imaging.volume import Volume

    write_volume(Volume(torch.ones(3, 3, 3, dtype=torch.uint8), np.eye(4)), plan.data_root / "label" / "case_0.nii.gz")
    with pytest.raises(DataError, match=r"case_0.nii.gz: found the shape 3 x 3 x 3, expected 12 x 10 x 8"):
        evaluate(plan)


@pytest.mark.usefixtures("echo")
def test_evaluate_judges_whatever_the_switch_of_the_config_says(plan: EvaluatePlan) -> None:
    assert evaluate(replace(plan, do_validation=False)).metrics["dice"].overall.count == 3


@pytest.mark.usefixtures("echo")
def test_the_warnings_of_the_plan_are_passed_on(plan: EvaluatePlan) -> None:
    odd = replace(plan, warnings=(Fault("c.json", "zzz", "a key that nothing reads"),))
    assert evaluate(odd).warnings == odd.warnings
    assert evaluate(odd).to_dict()["warnings"][0]["key"] == "zzz"


def test_a_plan_that_judges_nothing_is_refused(plan: EvaluatePlan) -> None:
    with pytest.raises(ConfigError, match="found no val_metrics"):
        evaluate(replace(plan, val_metrics=()))


@pytest.mark.usefixtures("echo")
def test_a_stop_leaves_whole_files_only(plan: EvaluatePlan) -> None:
    stop = StopRequest()

    def progress(done: int, total: int, subject: str) -> None:  # noqa: ARG001
        stop.signal_number = 2 if done == 1 else None

    with pytest.raises(Interrupted, match="after 2 of 3"):
        evaluate(plan, progress=progress, stop=stop)
    assert sorted(path.name for path in plan.output_dir.iterdir()) == ["case_0", "case_1"]
    assert [path.name for path in plan.output_dir.rglob(".writing-*")] == []


@pytest.mark.usefixtures("echo")
def test_a_metric_may_have_a_folder_of_its_own(root: Path) -> None:
    args = {"name": "dice", "field": "model", "report_path": "eval/scores"}
    edit_config(root, val_metrics=[{"name": "ComputeAverageDice", "args": args}])
    result = evaluate(plan_evaluation(root, do_validation=True, output_infer_result=False))
    assert result.files["dice_raw"] == root / "eval" / "scores" / "dice_raw_results.txt"


@pytest.mark.usefixtures("echo")
def test_the_report_tells_of_the_training(root: Path, plan: EvaluatePlan) -> None:
    (root / "models").mkdir()
    (root / "models" / "history.jsonl").write_text('{"kind": "epoch", "step": 5, "loss": 0.5, "learning_rate": 0.1}\n')
    (root / "models" / "manifest.json").write_text('{"seed": 1234567}')
    report = evaluate(plan).files["report"].read_text(encoding="utf-8")
    assert "Training loss" in report
    assert "1234567" in report
    assert "epoch 7, m 0.5000 in training" in report


@pytest.fixture
def chest(tmp_path: Path) -> EvaluatePlan:
    """A classification with random weights."""
    data = make_radiographs(tmp_path / "data", cases=16)
    archive = make_classification(tmp_path / "mmar", data)
    training = plan_training(archive)
    torch.manual_seed(0)
    model = Builder(training.archive).build(training.model, in_channels=1)
    card = model_card(training.model, in_channels=1, class_names=("n", "e", "c"), config={}, epoch=1)
    save_weights(archive / "models" / "model", model, card=card)
    return plan_evaluation(archive, overrides=["DATA_LIST_KEY=training"], output_infer_result=True)


def test_a_classification_pictures_its_worst_cases_and_writes_one_table(chest: EvaluatePlan) -> None:
    result = evaluate(chest)
    report, data = (result.files[name].read_text(encoding="utf-8") for name in ("report", "json"))
    found = json.loads(data)["classification"]["probability_of_the_truth"]
    worst = sorted(found, key=lambda name: found[name])[:6]
    assert [name for name in found if f'alt="{name}"' in report] == [name for name in found if name in worst]
    table = result.files["classification_results"].read_text(encoding="utf-8").splitlines()
    assert (table[0], len(table)) == ("subject,image,n,e,c", 13)
    assert result.metrics["Average_AUC"].is_pooled


def test_a_picture_without_findings_cannot_be_judged(chest: EvaluatePlan) -> None:
    content = json.loads(chest.data_list_file.read_text(encoding="utf-8"))
    del content["training"][2]["label"]
    chest.data_list_file.write_text(json.dumps(content))
    with pytest.raises(DataError, match="chest_003: found no label in the data list"):
        evaluate(chest)
