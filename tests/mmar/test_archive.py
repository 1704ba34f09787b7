"""An archive is a folder with a config in it, and paths stay inside it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.errors import ArchiveError, ConfigError
from vesalia.mmar.archive import FOLDERS, open_archive


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "mmar" / "config").mkdir(parents=True)
    return tmp_path / "mmar"


def test_parts_are_folders_below_the_root(root: Path) -> None:
    archive = open_archive(root)
    assert [getattr(archive, name) for name in (*FOLDERS, "custom")] == [root / name for name in (*FOLDERS, "custom")]


def test_code_lies_in_custom_or_where_examples_of_v3_have_it(root: Path) -> None:
    archive = open_archive(root)
    (root / "BYOC").mkdir()
    assert archive.custom == root / "BYOC"
    (root / "custom").mkdir()
    assert archive.custom == root / "custom"


def test_a_relative_root_becomes_absolute(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "config")
    assert open_archive("..").root == root.resolve()
    monkeypatch.chdir(root.parent)
    assert open_archive("mmar").root == root


def test_what_is_no_archive_says_where_one_is(root: Path) -> None:
    (root / "file").touch()
    cases = {
        root / "none": "found no such folder",
        root / "file": "found a file",
        root / "config": f"write {root} (the folder above has one)",
        root.parent: f"write {root}",
    }
    (root / "empty").mkdir()
    for path, message in cases.items():
        with pytest.raises(ArchiveError) as caught:
            open_archive(path)
        assert message in str(caught.value)


def test_an_empty_folder_far_from_an_archive_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(ArchiveError, match="vesalia new DIR"):
        open_archive(tmp_path / "a" / "b")


def test_names_its_files_relative_to_itself(root: Path) -> None:
    archive = open_archive(root)
    assert archive.shown(root / "config" / "a.json") == "config/a.json"
    assert archive.shown(Path("/elsewhere/a.json")) == "/elsewhere/a.json"


@pytest.mark.parametrize("path", ["config/a.json", "models/../config/a.json", "{root}/config/a.json"])
def test_paths_inside_are_given_back(root: Path, path: str) -> None:
    assert open_archive(root).inside(path.format(root=root)).resolve() == (root / "config" / "a.json").resolve()


@pytest.mark.parametrize("path", ["../../x", "/etc/passwd", "config/link/x"])
def test_paths_that_leave_are_refused(root: Path, path: str) -> None:
    (root / "config" / "link").symlink_to(root.parent)
    with pytest.raises(ConfigError, match="leaves the archive, expected a path inside the archive"):
        open_archive(root).inside(path)


def test_an_archive_may_be_reached_through_a_link(root: Path) -> None:
    (root.parent / "link").symlink_to(root)
    archive = open_archive(root.parent / "link")
    assert archive.inside("config/a.json") == root.parent / "link" / "config" / "a.json"
