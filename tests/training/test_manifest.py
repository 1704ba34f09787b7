"""The manifest holds everything that decided the result."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.training.fakes import make_run
from vesalia.inference.card import FORMAT
from vesalia.inference.checkpoint_names import MANIFEST_FILE
from vesalia.inference.weights import save_weights
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.plan import TrainPlan
from vesalia.training import manifest as module
from vesalia.training.manifest import (
    describe_run,
    hash_code,
    hash_file,
    hash_start,
    note_resumption,
    write_manifest,
)

TINY_CARD = {"format": FORMAT, "format_version": 1, "model": {}, "in_channels": 1, "class_names": []}


@dataclass
class Plan:
    """The part of a plan that a manifest looks at."""

    archive: ArchiveFolder
    config_file: Path = Path("config/config_train.json")
    checkpoint_dir: Path = Path("models")
    checkpoint: Path | None = None
    raw: dict[str, Any] = field(default_factory=lambda: {"epochs": 3})
    variables: dict[str, Any] = field(default_factory=lambda: {"DATA_ROOT": "/data"})


def describe(folder: Path, data: dict[str, list[Path]] | None = None) -> dict[str, Any]:
    """The manifest of a run in ``folder``."""
    plan = cast("TrainPlan", Plan(ArchiveFolder(folder)))
    return describe_run(plan, seed=42, data=data or {}, precision="32-true")


class TestHashes:
    def test_they_follow_the_content_and_nothing_else(self, tmp_path: Path) -> None:
        one, same, other = (tmp_path / name for name in "abc")
        one.write_bytes(b"x" * 1000)
        same.write_bytes(b"x" * 1000)
        other.write_bytes(b"x" * 999 + b"y")
        assert hash_file(one) == hash_file(same) != hash_file(other)

    def test_an_empty_file_has_one(self, tmp_path: Path) -> None:
        (tmp_path / "empty").write_bytes(b"")
        assert len(hash_file(tmp_path / "empty")) == 32

    def test_large_files_are_sampled_and_say_so(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_WHOLE_BELOW_BYTES", 100)
        monkeypatch.setattr(module, "_SAMPLE_BYTES", 10)
        path = tmp_path / "large"
        path.write_bytes(bytes(range(200)))
        first = hash_file(path)
        assert first.startswith("sampled:")
        for position, seen in ((5, True), (100, False), (195, True)):
            content = bytearray(range(200))
            content[position] ^= 1
            path.write_bytes(content)
            assert (hash_file(path) != first) == seen
        path.write_bytes(bytes(range(10)) + bytes(range(10)) + bytes(range(10, 200)))
        assert hash_file(path) != first, "the size counts"


def test_code_of_the_archive_is_hashed_by_its_name_there(tmp_path: Path) -> None:
    plan = cast("TrainPlan", Plan(ArchiveFolder(tmp_path)))
    assert hash_code(plan) == {}
    (tmp_path / "custom" / "parts").mkdir(parents=True)
    (tmp_path / "custom" / "parts" / "mine.py").write_text("x = 1")
    assert hash_code(plan) == {"custom/parts/mine.py": hash_file(tmp_path / "custom" / "parts" / "mine.py")}


def test_weights_to_start_from_are_known_by_their_hash(tmp_path: Path) -> None:
    def start(checkpoint: Path | None) -> str | None:
        return hash_start(cast("TrainPlan", Plan(ArchiveFolder(tmp_path), checkpoint=checkpoint)))

    run = make_run()
    save_weights(tmp_path / "model", run.model, card=TINY_CARD)
    assert start(None) is None
    assert start(tmp_path / "gone") is None
    assert start(tmp_path / "model.ckpt") == json.loads((tmp_path / "model.json").read_text())["sha256"]


def test_it_holds_config_data_versions_seed_and_machine(tmp_path: Path) -> None:
    (tmp_path / "image.nii").write_bytes(b"1")
    found = describe(tmp_path, {"train": [tmp_path / "image.nii", tmp_path / "image.nii"], "validate": []})
    assert found["config"] == {"epochs": 3}
    assert found["variables"] == {"DATA_ROOT": "/data"}
    assert (found["seed"], found["precision"]) == (42, "32-true")
    assert found["data"] == {
        "train": {str(tmp_path / "image.nii"): hash_file(tmp_path / "image.nii")},
        "validate": {},
    }
    assert {"python", "torch"} <= found["versions"].keys()
    assert found["machine"]["cores"] >= 1
    assert json.loads(json.dumps(found, default=str))["archive"] == str(tmp_path)


class TestGit:
    @pytest.fixture
    def checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A checkout with one commit."""
        for name, value in {"NAME": "a", "EMAIL": "a@example.org"}.items():
            monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
            monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
        folder = tmp_path / "checkout"
        folder.mkdir()
        (folder / "file").write_text("1")
        for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "first", "--no-gpg-sign"]):
            subprocess.run(["git", "-C", str(folder), *words], check=True)
        return folder

    def test_the_commit_is_told(self, checkout: Path) -> None:
        asked = subprocess.run(["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, check=True)
        assert describe(checkout)["git"] == {"commit": asked.stdout.decode().strip()}
        assert len(asked.stdout.strip()) == 40

    def test_no_checkout(self, tmp_path: Path) -> None:
        assert describe(tmp_path)["git"] == {"commit": ""}

    def test_a_command_in_the_repository_s_configuration_is_not_run(self, checkout: Path, tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        command = tmp_path / "command"
        command.write_text(f"#!/bin/sh\ntouch {trace}\n")
        command.chmod(0o755)
        subprocess.run(["git", "-C", str(checkout), "config", "core.fsmonitor", str(command)], check=True)
        assert describe(checkout)["git"]["commit"]
        assert not trace.exists()
        subprocess.run(["git", "-C", str(checkout), "status"], check=True, capture_output=True)
        assert trace.exists(), "git itself would have run it"

    def test_git_is_not_run(self, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        trace = tmp_path / "trace"
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "git").write_text(f"#!/bin/sh\ntouch {trace}\n")
        (tmp_path / "bin" / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        assert len(describe(checkout)["git"]["commit"]) == 40
        assert not trace.exists()


def test_it_is_written_into_the_run_folder(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, describe(tmp_path))
    assert path == tmp_path / MANIFEST_FILE
    assert json.loads(path.read_text())["format"] == 1


class TestResumptions:
    def resumed(self, folder: Path, **raw: Any) -> dict[str, Any]:
        """The newest session, after one that resumes with this config."""
        plan = cast("TrainPlan", Plan(ArchiveFolder(folder), checkpoint_dir=folder, raw=raw))
        assert note_resumption(plan, seed=42, precision="32-true")
        newest: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text())["resumed"][-1]
        return newest

    def test_the_same_settings_change_nothing(self, tmp_path: Path) -> None:
        write_manifest(tmp_path, describe(tmp_path))
        assert self.resumed(tmp_path, epochs=3)["changes"] == {}

    def test_differences_are_told_by_key_path(self, tmp_path: Path) -> None:
        write_manifest(tmp_path, {"config": {"a": {"b": [1, {"c": 2}], "gone": 0}}, "variables": {"DATA_ROOT": "/old"}})
        assert self.resumed(tmp_path, a={"b": (1, {"c": 3}, Path("x")), "nan": math.nan})["changes"] == {
            "config.a.b[1].c": {"before": 2, "now": 3},
            "config.a.b[2]": {"before": None, "now": "x"},
            "config.a.gone": {"before": 0, "now": None},
            "variables.DATA_ROOT": {"before": "/old", "now": "/data"},
        }

    @pytest.mark.parametrize("text", [None, "{", "[]"])
    def test_without_a_manifest_there_is_nothing_to_add_to(self, tmp_path: Path, text: str | None) -> None:
        if text is not None:
            (tmp_path / MANIFEST_FILE).write_text(text)
        plan = cast("TrainPlan", Plan(ArchiveFolder(tmp_path), checkpoint_dir=tmp_path))
        assert not note_resumption(plan, seed=42, precision="32-true")
