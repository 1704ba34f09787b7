"""``vesalia train``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.running import call
from tests.tiny_archive import read_config, write_config
from tests.training.test_result import result
from vesalia.cli.train import summary

TRAIN = ("--seed", "1", "--device", "cpu")


def test_for_machines_the_last_line_is_the_result(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "train", archive, *TRAIN, "--json", "--set", "epochs=2", "num_training_epoch_per_valid=1")
    assert answer.code == 0
    assert answer.out.count("\n") == 1
    data = answer.data
    assert (data["ok"], data["epochs"], data["steps"], data["seed"]) == (True, 2, 4, 1)
    assert data["key_metric"] == "mean_dice"
    assert Path(data["best_model"]).exists()
    assert "validation at epoch 2" in answer.err


def test_for_people_it_ends_with_where_everything_is(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "train", archive, *TRAIN, "--set", "epochs=1")
    assert answer.code == 0
    assert "best model: " in answer.out
    assert "tensorboard --logdir" in answer.out
    assert "{" not in answer.out


def test_set_reaches_the_config_and_the_environment(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "train", archive, *TRAIN, "--json", "--set", "epochs=1", "MMAR_CKPT_DIR=other")
    assert Path(answer.data["run_folder"]) == archive / "other"


def test_a_config_with_faults_trains_nothing(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    config = read_config(archive)
    config["train"]["optimizer"]["args"] = {"beta": 0.9}
    write_config(archive, config)
    answer = call(capsys, "train", archive, *TRAIN, "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
    assert list((archive / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (["--budget", "soon"], "ConfigError", "--budget: found 'soon', expected a time such as 300s"),
        (["--device", "tpu"], "ConfigError", "--device: found 'tpu'"),
        (["-c", "config/gone.json"], "ConfigError", "gone.json"),
        (["-e", "config/gone.json"], "ConfigError", "gone.json"),
        (["--set", "epochs=-1"], "ConfigError", "epochs"),
        (["--set", "DATASET_JSON=gone.json"], "ConfigError", "gone.json"),
    ],
)
def test_what_the_user_can_mend_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], archive: Path, arguments: list[str], error: str, said: str
) -> None:
    answer = call(capsys, "train", archive, *arguments, "--json")
    assert answer.code == 2
    assert said in answer.data["message"] + json.dumps(answer.data["faults"])
    assert answer.data["error"] in {error, "ArchiveError", "DataError"}
    assert list((archive / "models").iterdir()) == []


def test_a_finished_run_that_is_resumed_says_so(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "train", trained, "--resume", "--device", "cpu")
    assert answer.code == 0
    assert "nothing to resume" in answer.out


def test_a_full_disk_is_words_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = call(capsys, "train", archive, *TRAIN, "--json")
    assert (answer.code, answer.data["error"]) == (2, "ResourceError")
    assert "no space left on the disk" in answer.err
    assert not [path for path in (archive / "models").iterdir() if not path.name.startswith("events.out")]


@pytest.mark.parametrize("name", ["OMPI_COMM_WORLD_RANK", "RANK"])
def test_of_several_processes_only_the_first_trains(
    capsys: pytest.CaptureFixture[str], archive: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = sorted(archive.rglob("*"))
    monkeypatch.setenv(name, "1")
    answer = call(capsys, "train", archive, *TRAIN, "--set", "epochs=1")
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.strip().splitlines() == ["rank 1: this works in one process; rank 0 does the work"]
    assert sorted(archive.rglob("*")) == before
    monkeypatch.setenv(name, "0")
    assert call(capsys, "train", archive, *TRAIN, "--json", "--set", "epochs=1").data["epochs"] == 1


def test_for_machines_the_other_ranks_end_with_json_too(
    capsys: pytest.CaptureFixture[str], archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "3")
    answer = call(capsys, "train", archive, *TRAIN, "--json")
    assert (answer.code, answer.data["ok"], answer.data["rank"]) == (0, True, 3)
    assert answer.out.count("\n") == 1
    assert list((archive / "models").iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_exits_cleanly_and_resume_goes_on(
    capsys: pytest.CaptureFixture[str], archive: Path, number: signal.Signals, code: int
) -> None:
    command = [sys.executable, "-m", "vesalia", "train", str(archive), *TRAIN, "--json", "--set", "epochs=100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until_it_trains(archive, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    found = json.loads(out.splitlines()[-1])
    assert (found["ok"], found["error"], found["exit_code"]) == (False, "Interrupted", code)
    assert (archive / "models" / "resume.safetensors").exists()
    epoch = int(found["message"].split("epoch ")[1].split(",")[0])
    answer = call(capsys, "train", archive, "--resume", "--device", "cpu", "--json", "--set", f"epochs={epoch + 1}")
    assert (answer.code, answer.data["resumed"], answer.data["epochs"]) == (0, True, epoch + 1)


def wait_until_it_trains(archive: Path, process: subprocess.Popen[str]) -> None:
    """Until the first epoch is in the history."""
    history, deadline = archive / "models" / "history.jsonl", time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        if history.exists() and history.stat().st_size:
            return
        time.sleep(0.05)
    raise AssertionError("it never began to train")


def test_the_summary_of_a_run_that_was_judged() -> None:
    assert summary(result()).splitlines() == [
        "best: mean_dice 0.9100 at epoch 12; 20 epochs, 400 steps, 62 s, seed 42",
        "best model: archive/models/model.safetensors",
        "last model: archive/models/model_final.safetensors",
        "curves:     tensorboard --logdir archive/models",
    ]


def test_the_summary_of_a_run_that_was_not() -> None:
    assert summary(result(best_epoch=0)).startswith("best: not validated; 20 epochs")
