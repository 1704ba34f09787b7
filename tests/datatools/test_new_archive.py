"""A new archive is whole, passes the config check as it stands, and refuses data that would not train."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.datatools.datasets import decathlon, label_map, nnunet, write_nifti
from tests.datatools.plans import evaluation_of, training_of
from vesalia.datatools.new_archive import new_archive
from vesalia.errors import ConfigError, DataError, UserError
from vesalia.pipelines.datalist import read_datalist

FILES = {
    "commands/export.sh",
    "commands/infer.sh",
    "commands/set_env.sh",
    "commands/train.sh",
    "commands/train_finetune.sh",
    "commands/train_multi_gpu.sh",
    "commands/validate.sh",
    "config/config_train.json",
    "config/config_validation.json",
    "config/dataset.json",
    "config/environment.json",
    "docs/README.md",
    "resources/log.config",
}


def content(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_all_folders_and_files_are_there(tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "new", data=decathlon(tmp_path / "data"))
    assert archive == tmp_path / "new"
    folders = {path.name for path in archive.iterdir()}
    assert folders == {"commands", "config", "docs", "eval", "models", "resources"}
    assert {str(path.relative_to(archive)) for path in archive.rglob("*") if path.is_file()} == FILES
    assert all(os.access(path, os.X_OK) for path in (archive / "commands").iterdir())


@pytest.mark.parametrize("make", [decathlon, nnunet])
def test_the_configs_pass_the_check_as_they_stand(tmp_path: Path, make: Any) -> None:
    archive = new_archive(tmp_path / "new", data=make(tmp_path / "data"))
    plan = training_of(archive)
    assert plan.warnings == ()
    assert plan.validate is not None
    assert plan.validate.key_metric is not None
    assert evaluation_of(archive).warnings == ()


def test_ct_and_mr_are_normalised_in_their_own_way(tmp_path: Path) -> None:
    ct = new_archive(tmp_path / "ct", data=decathlon(tmp_path / "data"))
    mr = new_archive(tmp_path / "mr", data=nnunet(tmp_path / "brains"))
    (window,) = [step for step in training_of(ct).pre_transforms if step.name == "ScaleIntensityRange"]
    assert (window.args["a_min"], window.args["a_max"]) == (100.0, 200.0)
    assert "NormalizeNonzeroIntensities" in [step.name for step in training_of(mr).pre_transforms]
    assert training_of(mr).image_pipeline.args["output_image_channels"] == 2


@pytest.mark.parametrize("make", [decathlon, nnunet])
def test_the_data_list_finds_its_files(tmp_path: Path, make: Any) -> None:
    folder = make(tmp_path / "data")
    archive = new_archive(tmp_path / "new", data=folder)
    environment = content(archive / "config" / "environment.json")
    assert environment["DATA_ROOT"] == str(folder)
    for key in ("training", "validation"):
        listed = read_datalist(archive / "config" / "dataset.json", folder, key=key)
        assert listed.items
        assert all("label" in item.files for item in listed.items)


def test_class_names_and_licence_go_along(tmp_path: Path) -> None:
    archive = new_archive(tmp_path / "new", data=decathlon(tmp_path / "data"))
    listed = content(archive / "config" / "dataset.json")
    assert listed["labels"] == {"0": "background", "1": "left cube", "2": "right cube"}
    assert listed["licence"] == "CC0-1.0"
    assert "CC0-1.0" in (archive / "docs" / "README.md").read_text(encoding="utf-8")
    metrics = content(archive / "config" / "config_validation.json")["val_metrics"]
    assert [metric["args"]["name"] for metric in metrics] == ["mean_dice", "dice_left_cube", "dice_right_cube"]


def test_a_folder_in_use_is_refused_before_the_data_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="write another name"):
        new_archive(tmp_path, data=tmp_path / "nowhere")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_unknown_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="task: found 'poetry', expected 'segmentation' or 'classification'"):
        new_archive(tmp_path / "new", data=tmp_path, task="poetry")


def test_a_single_case_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 training and 0 validation"):
        new_archive(tmp_path / "new", data=decathlon(tmp_path / "data", training=1, validation=0))
    assert not (tmp_path / "new").exists()


def test_values_without_a_name_are_refused(tmp_path: Path) -> None:
    folder = decathlon(tmp_path / "data")
    write_nifti(folder / "labelsTr" / "case_0.nii.gz", label_map(values=[1, 7]))
    with pytest.raises(DataError, match=r"label value 7 in 1 cases.*0 background, 1 left cube, 2 right cube"):
        new_archive(tmp_path / "new", data=folder)


def test_labels_that_lie_elsewhere_are_refused(tmp_path: Path) -> None:
    folder = decathlon(tmp_path / "data")
    for index in (0, 3):
        write_nifti(folder / "labelsTr" / f"case_{index}.nii.gz", label_map(), spacing_mm=(1, 1, 1))
    with pytest.raises(DataError) as caught:
        new_archive(tmp_path / "new", data=folder)
    assert [Path(fault.file).name for fault in caught.value.faults] == ["case_0.nii.gz", "case_3.nii.gz"]


def test_labels_without_anything_are_refused(tmp_path: Path) -> None:
    folder = decathlon(tmp_path / "data")
    for path in (folder / "labelsTr").iterdir():
        write_nifti(path, np.zeros_like(label_map()))
    with pytest.raises(DataError, match="without a single labelled voxel"):
        new_archive(tmp_path / "new", data=folder)


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("vesalia.datatools.new_archive.model_card", fail)
    with pytest.raises(KeyboardInterrupt):
        new_archive(tmp_path / "new", data=decathlon(tmp_path / "data"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
