"""The manifest holds everything that decided the result."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.plan import TrainPlan
from vesalia.training import manifest as module
from vesalia.training.manifest import MANIFEST_FILE, describe_run, hash_file, write_manifest


@dataclass
class Plan:
    """The part of a plan that a manifest looks at."""

    archive: ArchiveFolder
    config_file: Path = Path("config/config_train.json")
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
        (tmp_path / "file").write_text("1")
        for words in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "first", "--no-gpg-sign"]):
            subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
        return tmp_path

    def test_a_clean_checkout(self, checkout: Path) -> None:
        found = describe(checkout)["git"]
        assert len(found["commit"]) == 40
        assert found["changed"] is False

    def test_a_changed_checkout(self, checkout: Path) -> None:
        (checkout / "file").write_text("2")
        assert describe(checkout)["git"]["changed"] is True

    def test_no_checkout(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        assert describe(tmp_path)["git"] == {}

    def test_no_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert describe(tmp_path)["git"] == {}


def test_it_is_written_into_the_run_folder(tmp_path: Path) -> None:
    path = write_manifest(tmp_path, describe(tmp_path))
    assert path == tmp_path / MANIFEST_FILE
    assert json.loads(path.read_text())["format"] == 1
