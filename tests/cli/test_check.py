"""``vesalia check``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import call
from tests.tiny_archive import read_config, write_config


def files(folder: Path) -> dict[str, int]:
    """Every file, with its time of change."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_a_sound_archive(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "check", archive)
    assert (answer.code, answer.err) == (0, "")
    assert "sound" in answer.out.splitlines()[-1]
    assert "4 subjects in training and 2 subjects in validation" in answer.out


def test_a_sound_archive_for_machines(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "check", archive, "--json")
    assert answer.code == 0
    assert answer.data["ok"] is True
    assert len(answer.data["configs"]) == len(answer.data["data"]) == 2
    assert answer.data["faults"] == []


def test_one_config_alone(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "check", archive, "-c", "config/config_validation.json", "--json")
    (config,) = answer.data["configs"]
    assert config.endswith("config_validation.json")


def test_all_faults_at_once_with_did_you_mean(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    config = read_config(archive)
    config["train"]["loss"]["name"] = "Diec"
    config["train"]["model"]["args"]["init_filtres"] = 4
    config["epochs"] = "many"
    write_config(archive, config)
    answer = call(capsys, "check", archive, "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
    keys = {fault["key"] for fault in answer.data["faults"]}
    assert {"epochs", "train.loss.name", "train.model.args.init_filtres"} <= keys
    assert "Dice" in answer.err
    assert "init_filters" in answer.err


def test_faults_in_the_data_are_exit_code_2(capsys: pytest.CaptureFixture[str], archive: Path, balls: Path) -> None:
    listed = json.loads(balls.read_text())
    listed["training"][0]["label"] = "labelsTr/gone.nii.gz"
    (archive / "config" / "dataset.json").write_text(json.dumps(listed))
    answer = call(capsys, "check", archive, "--set", "DATASET_JSON=config/dataset.json", f"DATA_ROOT={balls.parent}")
    assert answer.code == 2
    assert "gone.nii.gz" in answer.err


def test_a_fault_in_the_data_for_machines(capsys: pytest.CaptureFixture[str], archive: Path, balls: Path) -> None:
    listed = json.loads(balls.read_text())
    listed["training"][0]["label"] = listed["training"][0]["image"]
    (archive / "config" / "dataset.json").write_text(json.dumps(listed))
    answer = call(
        capsys, "check", archive, "--json", "--set", "DATASET_JSON=config/dataset.json", f"DATA_ROOT={balls.parent}"
    )
    assert (answer.code, answer.data["ok"]) == (2, False)
    assert answer.data["faults"]


def test_nothing_is_written(capsys: pytest.CaptureFixture[str], archive: Path, balls: Path) -> None:
    before = files(archive), files(balls.parent)
    call(capsys, "check", archive)
    assert (files(archive), files(balls.parent)) == before


def test_checking_configs_loads_no_torch(archive: Path) -> None:
    code = (
        f"import sys\nfrom vesalia.mmar.validate import plan_training\nplan_training({str(archive)!r})\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
