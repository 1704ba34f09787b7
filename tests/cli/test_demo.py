"""``vesalia demo``: the main job, here with the smallest data there is."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

import vesalia
from tests.cli.running import call
from vesalia.cli.demo import _farewell

SMALL = ("--cases", "8", "--size", "32", "--budget", "9s")


@pytest.mark.slow
def test_from_nothing_to_a_report(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vesalia.training.schedule._CLOSING_S", 0.5)
    answer = call(capsys, "demo", tmp_path / "demo", *SMALL, "--json")
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    assert Path(answer.data["evaluate"]["files"]["report"]).exists()
    assert Path(answer.data["train"]["best_model"]).exists()
    assert list((tmp_path / "demo" / "archive" / "eval").rglob("*.nii.gz"))
    assert [line[:6] for line in answer.err.splitlines() if " of 4  " in line] == [
        "1 of 4",
        "2 of 4",
        "3 of 4",
        "4 of 4",
    ]


def test_the_farewell_tells_the_dice_of_the_report_it_names(trained: Path) -> None:
    judged = vesalia.Archive(trained).evaluate(device="cpu")
    said = _farewell(trained, judged)
    assert f"mean Dice on the held-out cases: {judged.metrics['mean_dice'].overall.mean:.4f}\n" in said
    assert f"report: {judged.files['report']} " in said


@pytest.mark.parametrize("arguments", [("--budget", "soon"), ("--cases", "2"), ("--size", "8")])
def test_wrong_arguments_make_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    answer = call(capsys, "demo", tmp_path / "demo", *arguments, "--json")
    assert (answer.code, answer.data["ok"]) == (2, False)
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_is_not_empty_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    answer = call(capsys, "demo", tmp_path, "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
    assert "not empty" in answer.err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    answer = call(capsys, "demo", tmp_path / "thesis.txt", "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
