"""``vesalia train --from-manifest``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.running import call
from tests.tiny_archive import make_archive


@pytest.fixture
def trained(capsys: pytest.CaptureFixture[str], tmp_path: Path, balls: Path) -> Path:
    """The manifest of a short training, put away from the run folder."""
    archive = make_archive(tmp_path / "archive", balls)
    call(capsys, "train", archive, "--set", "epochs=1", "--seed", "3", "--device", "cpu")
    return Path(shutil.copy(archive / "models" / "manifest.json", tmp_path / "kept.json"))


def test_the_archive_is_in_the_manifest(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "train", "--from-manifest", trained, "--json")
    assert (answer.code, answer.data["seed"], answer.data["epochs"]) == (0, 3, 1)
    assert answer.data["run_folder"] == str(trained.parent / "archive" / "models")


def test_differences_are_said(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "train", trained.parent / "archive", "--from-manifest", trained, "--seed", "4")
    assert answer.code == 0
    assert "seed: 3 then, 4 now" in answer.out + answer.err


def test_neither_an_archive_nor_a_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    answer = call(capsys, "train")
    assert answer.code == 2
    assert "write vesalia train MMAR, or --from-manifest FILE" in answer.err


def test_a_file_that_is_no_manifest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    answer = call(capsys, "train", "--from-manifest", tmp_path / "a.json", "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
