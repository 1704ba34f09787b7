"""``vesalia new``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import call


@pytest.mark.parametrize("give_folder", [True, False])
def test_an_archive_that_is_sound(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, balls: Path, *, give_folder: bool
) -> None:
    answer = call(capsys, "new", tmp_path / "mine", "--data", balls.parent if give_folder else balls, "--json")
    assert (answer.code, answer.data["ok"]) == (0, True)
    assert Path(answer.data["archive"]) == tmp_path / "mine"
    assert call(capsys, "check", tmp_path / "mine").code == 0


def test_for_people_it_tells_what_comes_next(capsys: pytest.CaptureFixture[str], tmp_path: Path, balls: Path) -> None:
    answer = call(capsys, "new", tmp_path / "mine", "--data", balls)
    assert f"vesalia train {tmp_path / 'mine'}" in answer.out


def test_a_folder_that_is_not_empty_is_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, balls: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    answer = call(capsys, "new", tmp_path / "mine", "--data", balls, "--json")
    assert (answer.code, answer.data["ok"]) == (2, False)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_data_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = call(capsys, "new", tmp_path / "mine", "--data", tmp_path / "gone", "--json")
    assert answer.code == 2
    assert "gone" in answer.err
    assert not (tmp_path / "mine").exists()


def test_a_task_that_is_not_there_yet(capsys: pytest.CaptureFixture[str], tmp_path: Path, balls: Path) -> None:
    answer = call(capsys, "new", tmp_path / "mine", "--data", balls, "--task", "poetry", "--json")
    assert answer.code == 2
    assert "segmentation" in answer.err
    assert not (tmp_path / "mine").exists()
