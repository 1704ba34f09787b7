"""An evaluation config becomes a plan: a list of subjects, what happens to each, and what is kept."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mmar.archives import ENVIRONMENT, VALIDATION, changed, evaluation, lines, make
from vesalia.errors import ConfigError
from vesalia.mmar.validate import plan_evaluation


def faults(root: Path, *overrides: str, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        evaluation(root, *overrides, **changes)
    return [line.removeprefix("config/config_validation.json: ") for line in lines(caught.value)]


def test_a_sound_config(tmp_path: Path) -> None:
    plan = evaluation(tmp_path / "a")
    root = tmp_path / "a"
    assert (plan.data_list_file, plan.data_root) == (root / "config" / "dataset.json", root / "data")
    assert (plan.data_list_key, plan.batch_size, plan.use_amp) == ("validation", 1, None)
    assert (plan.do_validation, plan.output_infer_result) == (True, False)
    assert (plan.output_dir, plan.checkpoint_dir) == (root / "eval", root / "models")
    assert [step.name for step in plan.post_transforms] == [
        "ArgmaxAcrossChannels",
        "SplitBasedOnLabel",
        "CopyProperties",
    ]
    assert plan.writers[0].args["write_path"] == str(root / "eval")
    assert not plan.warnings


@pytest.mark.parametrize("word", [True, False])
def test_what_to_do_is_asked_of_the_caller_the_command_line_and_the_texts(tmp_path: Path, word: bool) -> None:
    make(tmp_path / "a")
    plan = plan_evaluation(
        tmp_path / "a", overrides=["output_infer_result=true"], do_validation=word, output_infer_result=not word or None
    )
    assert (plan.do_validation, plan.output_infer_result) == (word, True)
    assert plan.raw["do_validation"] is word


def test_there_must_be_something_to_do(tmp_path: Path) -> None:
    assert faults(tmp_path / "a", "do_validation=false") == [
        (
            "do_validation: found false, and output_infer_result false as well, expected something to do; write --set "
            "do_validation=true"
        )
    ]


def test_metrics_and_writers_are_missed_in_a_warning(tmp_path: Path) -> None:
    plan = evaluation(tmp_path / "a", "output_infer_result=true", val_metrics=[], writers=[], model_loader=None)
    assert [str(warning).partition(": ")[2] for warning in plan.warnings] == [
        "val_metrics: found no metric, expected one, as do_validation is true",
        "writers: found no writer, expected one, as output_infer_result is true",
    ]
    assert plan.model_loader is None


def test_an_image_given_by_itself_needs_no_writer(tmp_path: Path) -> None:
    make(tmp_path / "a", validation=changed(VALIDATION, writers=[]))
    plan = plan_evaluation(tmp_path / "a", do_validation=False, output_infer_result=True, listed=False)
    assert plan.warnings == ()


def test_another_list_may_be_asked_for(tmp_path: Path) -> None:
    assert evaluation(tmp_path / "a", "DATA_LIST_KEY=training").data_list_key == "training"
    assert faults(tmp_path / "b", DATA_LIST_KEY="trainin")[0].startswith(
        'DATA_LIST_KEY: found "trainin", expected a list of config/dataset.json (training, validation); '
        'write "training"'
    )
    assert faults(tmp_path / "c", "DATA_LIST_KEY=empty")[0].startswith(
        "config/dataset.json: empty: found an empty list"
    )


def test_data_must_be_named(tmp_path: Path) -> None:
    make(tmp_path / "a", environment={"MMAR_CKPT_DIR": "models"})
    with pytest.raises(ConfigError) as caught:
        plan_evaluation(tmp_path / "a")
    assert lines(caught.value) == [
        (
            "config/environment.json: DATASET_JSON: found nothing, expected the data list (a JSON file); write "
            '"DATASET_JSON": "...", or --set DATASET_JSON=...'
        ),
        (
            "config/environment.json: DATA_ROOT: found nothing, expected the folder that its paths start from; write "
            '"DATA_ROOT": "...", or --set DATA_ROOT=...'
        ),
    ]


def test_a_misspelt_name_of_the_environment_is_one_fault(tmp_path: Path) -> None:
    environment = {"DATA_ROOTS": "data", "DATASET_JSON": ENVIRONMENT["DATASET_JSON"]}
    make(tmp_path / "a", environment=environment)
    with pytest.raises(ConfigError) as caught:
        plan_evaluation(tmp_path / "a")
    assert [fault.key for fault in caught.value.faults] == ["DATA_ROOTS"]


def test_parts_that_cannot_be_read_spoil_no_rule(tmp_path: Path) -> None:
    found = faults(tmp_path / "a", inferer=None, val_metrics__0__name="ComputeAverageDize", writers__0=3)
    assert [line.partition(": ")[0] for line in found] == ["inferer", "val_metrics[0].name", "writers[0]"]


def test_images_given_one_by_one_need_no_list(tmp_path: Path) -> None:
    make(tmp_path / "a", environment={"MMAR_CKPT_DIR": "models"})
    plan = plan_evaluation(tmp_path / "a", do_validation=False, output_infer_result=True, listed=False)
    assert plan.data_root == plan.data_list_file == tmp_path / "a"
    make(tmp_path / "b", environment={**ENVIRONMENT, "DATASET_JSON": "/none.json"})
    plan = plan_evaluation(tmp_path / "b", do_validation=False, output_infer_result=True, listed=False)
    assert plan.data_list_file == Path("/none.json")


def test_references_within_the_config_work(tmp_path: Path) -> None:
    plan = evaluation(
        tmp_path / "a", label_transforms__1={"ref": "CopyProperties"}, label_transforms__0__name="LoadNifti#L"
    )
    assert plan.label_transforms[1] is plan.post_transforms[2]


@pytest.mark.parametrize("chain", ["pre_transforms", "post_transforms"])
def test_of_foreign_code_nothing_is_assumed(tmp_path: Path, chain: str) -> None:
    changes: dict[str, Any] = {chain: [{"path": "mine.Mine"}], "val_metrics__0__args__field": "made_by_mine"}
    if chain == "pre_transforms":
        changes["post_transforms"] = []
    make(tmp_path / "a", validation=changed(VALIDATION, writers=[], **changes))
    (tmp_path / "a" / "custom").mkdir()
    (tmp_path / "a" / "custom" / "mine.py").write_text("class Mine: pass\n")
    assert plan_evaluation(tmp_path / "a", allow_custom_code=True).val_metrics


def test_a_chain_that_is_misspelt_or_no_list_is_all_that_is_told(tmp_path: Path) -> None:
    renamed = VALIDATION["post_transforms"]
    (misspelt,) = faults(tmp_path / "a", post_transforms=None, post_transform=renamed)
    assert misspelt.endswith("write post_transforms (did you mean this?)")
    (no_list,) = faults(tmp_path / "b", post_transforms=renamed[0])
    assert no_list.endswith("expected a list of components; write [ ... ] around it")


def test_a_field_that_nothing_makes_is_not_told_of_training(tmp_path: Path) -> None:
    (told,) = faults(tmp_path / "a", val_metrics__0__args__field="something")
    assert told.startswith('val_metrics[0].args.field: found "something", expected one of the fields image, label')
    assert told.endswith("write one of these")


@pytest.mark.parametrize("place", ["pre_transforms__1", "post_transforms__2"])
def test_a_reference_from_the_image_to_the_label_is_refused(tmp_path: Path, place: str) -> None:
    changes: dict[str, Any] = {"label_transforms__1__name": "ConvertToChannelsFirst#Ours", place: {"ref": "Ours"}}
    chain = place.partition("__")[0]
    (found,) = faults(tmp_path / "a", **changes)
    assert found == (
        f'{chain}: found {{"ref": "Ours"}}, which is label_transforms[1], expected a transform of {chain} '
        "(transforms of label_transforms are done to the label alone); write the transform in full"
    )
