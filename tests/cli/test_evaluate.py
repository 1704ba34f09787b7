"""``vesalia evaluate``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import call


def test_for_machines_the_last_line_is_the_result(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "evaluate", trained, "--json", "--device", "cpu")
    assert answer.code == 0
    assert answer.out.count("\n") == 1
    dice = answer.data["metrics"]["mean_dice"]
    assert dice["n"] == 2
    assert 0 <= dice["min"] <= dice["mean"] <= dice["max"] <= 1
    assert [case["subject"] for case in answer.data["cases"]] == ["case_4", "case_5"]
    assert all(Path(path).exists() for path in answer.data["files"].values())


def test_for_people_it_tells_the_metric_and_where_the_report_is(
    capsys: pytest.CaptureFixture[str], trained: Path
) -> None:
    answer = call(capsys, "evaluate", trained, "--device", "cpu")
    assert answer.code == 0
    assert "mean_dice: mean 0." in answer.out
    assert f"report: {trained / 'eval'}" in answer.out.splitlines()[-1]


@pytest.mark.parametrize(("option", "count"), [("--predictions", 2), ("--no-predictions", 0)])
def test_predictions_are_written_if_asked_for(
    capsys: pytest.CaptureFixture[str], trained: Path, option: str, count: int
) -> None:
    call(capsys, "evaluate", trained, option, "--json", "--device", "cpu")
    assert len(list((trained / "eval").rglob("*.nii.gz"))) == count


@pytest.mark.parametrize("verb", ["evaluate", "infer"])
def test_what_is_odd_in_the_config_is_said_beside_the_answer(
    capsys: pytest.CaptureFixture[str], trained: Path, verb: str
) -> None:
    path = trained / "config" / "config_validation.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "zzz": 1}))
    answer = call(capsys, verb, trained, "--json", "--device", "cpu")
    assert [warning["key"] for warning in answer.data["warnings"]] == ["zzz"]
    assert "warning: config/config_validation.json: zzz: found a key that nothing reads" in answer.err


def test_without_weights_it_says_what_to_run(capsys: pytest.CaptureFixture[str], archive: Path) -> None:
    answer = call(capsys, "evaluate", archive, "--json")
    assert (answer.code, answer.data["error"]) == (2, "CheckpointError")
    assert "vesalia train" in answer.err


def test_a_config_with_faults(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "evaluate", trained, "--set", "DATA_LIST_KEY=validatoin", "--json")
    assert answer.code == 2
    assert "validation" in answer.err


def test_a_device_that_is_not_there(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    assert "--device: found 'tpu'" in call(capsys, "evaluate", trained, "--device", "tpu", "--json").data["message"]
