"""The run folder, and what becomes of the run that was there before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from pathlib import Path

import pytest

from vesalia.errors import ResourceError
from vesalia.training.run_folder import prepare_run_folder

RUN = (
    "model.safetensors",
    "model.json",
    "model_final.safetensors",
    "model_final.json",
    "resume.safetensors",
    "manifest.json",
    "history.jsonl",
    "events.out.tfevents.1.host.2",
)


def fill(folder: Path, *names: str) -> None:
    """Files with their own names in them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text(name)


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    assert prepare_run_folder(tmp_path / "a" / "models", resuming=False) is None
    assert (tmp_path / "a" / "models").is_dir()


def test_an_earlier_run_is_set_aside_whole_and_nothing_else_is_touched(tmp_path: Path) -> None:
    fill(tmp_path, *RUN, "model.ckpt.index", "notes.txt", ".gitignore")
    moved = prepare_run_folder(tmp_path, resuming=False)
    assert moved is not None
    assert moved.parent == tmp_path / "previous"
    assert {path.name for path in moved.iterdir()} == set(RUN)
    assert all(path.read_text() == path.name for path in moved.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"previous", "model.ckpt.index", "notes.txt", ".gitignore"}


def test_two_runs_within_a_second_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda _: "20260101-120000")
    moved = []
    for _ in range(3):
        fill(tmp_path, *RUN)
        moved.append(prepare_run_folder(tmp_path, resuming=False))
    assert [path.name for path in moved if path] == ["20260101-120000", "20260101-120000-1", "20260101-120000-2"]


def test_a_resumed_run_stays_where_it_is(tmp_path: Path) -> None:
    fill(tmp_path, *RUN)
    assert prepare_run_folder(tmp_path, resuming=True) is None
    assert {path.name for path in tmp_path.iterdir()} == set(RUN)


def test_a_folder_without_a_run_gets_no_previous(tmp_path: Path) -> None:
    fill(tmp_path, "notes.txt")
    assert prepare_run_folder(tmp_path, resuming=False) is None
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_made_says_what_to_write(tmp_path: Path) -> None:
    fill(tmp_path, "file")
    with pytest.raises(
        ResourceError, match=r"file/models: found that it cannot be written .* write another MMAR_CKPT_DIR"
    ):
        prepare_run_folder(tmp_path / "file" / "models", resuming=False)
