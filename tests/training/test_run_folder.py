"""The run folder, and what becomes of the run that was there before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.training.fakes import TinyModel
from vesalia.errors import ResourceError
from vesalia.inference.weights import save_weights
from vesalia.training.run_folder import Rival, best_sha256, find_rival, lock_run_folder, prepare_run_folder
from vesalia.training.state import Counters

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


class TestStartingFromAModelInTheFolder:
    @pytest.mark.parametrize("name", ["model", "model.ckpt", "model.safetensors"])
    def test_it_stays_and_a_copy_goes_with_the_earlier_run(self, tmp_path: Path, name: str) -> None:
        fill(tmp_path, *RUN)
        moved = prepare_run_folder(tmp_path, resuming=False, start=tmp_path / name)
        assert moved is not None
        assert {path.name for path in moved.iterdir()} == set(RUN)
        assert {path.name for path in tmp_path.iterdir()} == {"previous", "model.safetensors", "model.json"}
        assert all(path.read_text() == path.name for path in (*moved.iterdir(), *tmp_path.glob("model*")))

    def test_a_link_to_it_is_it(self, tmp_path: Path) -> None:
        fill(tmp_path / "models", *RUN)
        (tmp_path / "link").symlink_to(tmp_path / "models", target_is_directory=True)
        prepare_run_folder(tmp_path / "models", resuming=False, start=tmp_path / "link" / "model_final.ckpt")
        assert (tmp_path / "models" / "model_final.safetensors").exists()
        assert not (tmp_path / "models" / "model.safetensors").exists()

    def test_one_elsewhere_with_the_same_name_changes_nothing(self, tmp_path: Path) -> None:
        fill(tmp_path / "models", *RUN)
        fill(tmp_path / "other", "model.safetensors", "model.json")
        prepare_run_folder(tmp_path / "models", resuming=False, start=tmp_path / "other" / "model")
        assert [path.name for path in (tmp_path / "models").iterdir()] == ["previous"]


class TestLock:
    def test_one_at_a_time(self, tmp_path: Path) -> None:
        folder = tmp_path / "a" / "models"
        said = r"models: found that another training writes there, .* write another MMAR_CKPT_DIR, or wait"
        with lock_run_folder(folder):
            with pytest.raises(ResourceError, match=said), lock_run_folder(folder):
                pass
            with pytest.raises(ResourceError, match=said), lock_run_folder(folder):
                pass
            with lock_run_folder(tmp_path / "b"):
                pass

    def test_nothing_is_left_of_it(self, tmp_path: Path) -> None:
        for _ in range(2):
            with lock_run_folder(tmp_path):
                assert list(tmp_path.iterdir())
            assert not list(tmp_path.iterdir())

    def test_it_goes_with_an_error_too(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), lock_run_folder(tmp_path):
            raise ZeroDivisionError
        with lock_run_folder(tmp_path):
            pass

    def test_what_a_killed_process_left_holds_nobody_back(self, tmp_path: Path) -> None:
        code = f"import os, filelock; filelock.FileLock({str(tmp_path / '.lock')!r}).acquire(); os._exit(7)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
        assert list(tmp_path.iterdir())
        with lock_run_folder(tmp_path):
            pass

    def test_another_process_is_refused(self, tmp_path: Path) -> None:
        code = f"import filelock; filelock.FileLock({str(tmp_path / '.lock')!r}, timeout=0).acquire()"
        with lock_run_folder(tmp_path):
            answer = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
        assert answer.returncode == 1
        assert "filelock._error.Timeout" in answer.stderr

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        fill(tmp_path, "file")
        with (
            pytest.raises(ResourceError, match=r"cannot be written .* write another MMAR_CKPT_DIR"),
            lock_run_folder(tmp_path / "file" / "models"),
        ):
            pass


class TestBestValue:
    @staticmethod
    def put_best(folder: Path, value: float | None) -> None:
        """A best model of epoch 5."""
        metric = None if value is None else {"name": "mean_dice", "value": value}
        card = {"format": "vesalia-model", "format_version": 1, "model": {}, "in_channels": 1, "class_names": []}
        save_weights(folder / "model", TinyModel(), card={**card, "epoch": 5, "metric": metric})

    @pytest.mark.parametrize(
        ("on_card", "rival"), [(0.8, Rival(0.8, 5)), (0.3, Rival()), (0.5, Rival()), (None, Rival())]
    )
    def test_the_card_s_is_a_rival_where_it_is_better(
        self, tmp_path: Path, on_card: float | None, rival: Rival
    ) -> None:
        self.put_best(tmp_path, on_card)
        assert find_rival(tmp_path, Counters(best=0.5, best_epoch=2)) == rival

    def test_the_model_that_the_run_started_from_is_not_its_best(self, tmp_path: Path) -> None:
        self.put_best(tmp_path, 0.9)
        counters = Counters(start_sha256=best_sha256(tmp_path))
        assert find_rival(tmp_path, counters) == Rival()
        self.put_best(tmp_path, 0.7)  # other weights
        assert find_rival(tmp_path, counters) == Rival(0.7, 5)

    @pytest.mark.parametrize("text", [None, "{", '{"format": "other"}'])
    def test_without_a_card_that_can_be_read_there_is_none(self, tmp_path: Path, text: str | None) -> None:
        if text is not None:
            (tmp_path / "model.json").write_text(text)
        assert find_rival(tmp_path, Counters(best=0.5, best_epoch=2)) == Rival()
        assert best_sha256(tmp_path) == ""
