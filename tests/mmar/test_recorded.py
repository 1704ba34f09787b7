"""A manifest read, placed elsewhere, and planned again."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_archive import make_archive, make_data, read_config, write_config
from vesalia.errors import ConfigError
from vesalia.mmar.recorded import read_recorded, record_of
from vesalia.mmar.validate import plan_training

MANIFEST: dict[str, Any] = {
    "archive": "/old/archive",
    "config_file": "/old/archive/config/config_train.json",
    "config": {"epochs": 2, "train": {"steps": ["/data/list.json", "/data", "/database", "rel"]}},
    "variables": {
        "DATA_ROOT": "/data",
        "DATASET_JSON": "/data/list.json",
        "MMAR_CKPT_DIR": "/old/archive/models",
        "MMAR_ROOT": "/old/archive",
        "MINE": "x",
        "epochs": 2,
    },
    "seed": 7,
    "data": {"train": {"/data/a.nii": "1"}},
}


def manifest(folder: Path, content: Any = None, **changes: Any) -> Path:
    """A file with a manifest."""
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, **changes} if content is None else content))
    return folder / "manifest.json"


def test_what_it_says(tmp_path: Path) -> None:
    found = read_recorded(manifest(tmp_path, options={"device": "cuda"}))
    assert (found.archive, found.config_name, found.seed) == (Path("/old/archive"), "config/config_train.json", 7)
    assert found.device == "cuda"
    assert found.environment.keys() == {"DATA_ROOT", "DATASET_JSON", "MMAR_CKPT_DIR", "epochs"}


def test_older_manifests_name_no_device(tmp_path: Path) -> None:
    assert read_recorded(manifest(tmp_path)).device == "auto"


def test_a_config_from_outside_the_archive(tmp_path: Path) -> None:
    assert read_recorded(manifest(tmp_path, config_file="/elsewhere/train.json")).config_name == "train.json"


def test_another_archive(tmp_path: Path) -> None:
    found = read_recorded(manifest(tmp_path)).placed(tmp_path / "new")
    assert found.variables["MMAR_CKPT_DIR"] == str(tmp_path / "new" / "models")
    assert found.config["train"]["steps"] == ["/data/list.json", "/data", "/database", "rel"]


def test_data_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    overrides = [f"DATA_ROOT={tmp_path / 'moved'}", "DATASET_JSON=lists/mine.json"]
    found = read_recorded(manifest(tmp_path)).placed(tmp_path, overrides)
    listed = str(tmp_path / "lists" / "mine.json")
    assert found.config["train"]["steps"] == [listed, str(tmp_path / "moved"), "/database", "rel"]
    assert found.manifest["data"] == {"train": {f"{tmp_path}/moved/a.nii": "1"}}


@pytest.mark.parametrize("content", [[], {}, {**MANIFEST, "seed": "7"}, {**MANIFEST, "config": None}])
def test_what_is_no_manifest(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ConfigError, match=r"expected the manifest\.json of a training"):
        read_recorded(manifest(tmp_path, content))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        read_recorded(tmp_path / "gone.json")
    assert record_of(None, tmp_path) is None


def test_the_same_plan_whatever_became_of_the_files(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", make_data(tmp_path / "data"))
    first = plan_training(archive, overrides=["epochs=3", "MMAR_CKPT_DIR=results", "frozen_parameters=a.*,b"])
    file = tmp_path / "manifest.json"
    recorded = {"archive": str(archive), "config_file": str(first.config_file), "seed": 1}
    file.write_text(json.dumps({**recorded, "config": first.raw, "variables": first.variables}, default=str))
    config = read_config(archive)
    config["learning_rate"] = 5.0
    write_config(archive, config)
    (archive / "config" / "environment.json").unlink()
    again = plan_training(archive, recorded=record_of(file, archive))
    assert (again.epochs, again.learning_rate, again.frozen_parameters) == (3, 0.02, ("a.*", "b"))
    assert again.raw == first.raw
    assert again.checkpoint_dir == first.checkpoint_dir
    assert again.model.args == first.model.args
    other = plan_training(archive, overrides=["MMAR_CKPT_DIR=/elsewhere"], recorded=record_of(file, archive))
    assert other.checkpoint_dir == Path("/elsewhere")


def test_faults_name_the_manifest(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", make_data(tmp_path / "data"))
    file = manifest(tmp_path, config={"epochs": -1})
    with pytest.raises(ConfigError) as caught:
        plan_training(archive, recorded=record_of(file, archive))
    assert {fault.file for fault in caught.value.faults} == {str(file)}
