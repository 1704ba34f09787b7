"""Folders that are whole or not there."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from vesalia.datatools.whole_folder import refuse_occupied, whole_folder
from vesalia.errors import ResourceError, UserError


@pytest.mark.parametrize("exists", [False, True])
def test_a_finished_draft_becomes_the_folder(tmp_path: Path, exists: bool) -> None:
    folder = tmp_path / "new"
    if exists:
        folder.mkdir()
    with whole_folder(folder) as draft:
        (draft / "file").write_text("text", encoding="utf-8")
        assert not (folder / "file").exists()
    assert (folder / "file").read_text(encoding="utf-8") == "text"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_parents_are_made(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "a" / "b") as draft:
        (draft / "file").touch()
    assert (tmp_path / "a" / "b" / "file").exists()


def test_the_folder_can_be_read_by_others_as_any_new_folder(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with whole_folder(tmp_path / "new") as draft:
        draft.joinpath("file").touch()
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_folder(tmp_path / "new") as draft:
            (draft / "file").touch()
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    for name in "abcde":
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"holds a, b, c and more, expected a new or empty folder; write"):
        refuse_occupied(tmp_path)
    with pytest.raises(UserError), whole_folder(tmp_path):
        pytest.fail("no draft may be given")
    assert len(list(tmp_path.iterdir())) == 5


def test_a_file_or_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(UserError, match="no folder"):
            refuse_occupied(tmp_path / name)


def test_what_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "new"

    def race() -> None:
        with whole_folder(folder):
            folder.mkdir()
            (folder / "other").touch()

    with pytest.raises(UserError, match="holds other"):
        race()
    assert [path.name for path in folder.iterdir()] == ["other"]


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "cannot be written")])
def test_disk_troubles_are_told_in_words(tmp_path: Path, number: int, words: str) -> None:
    with pytest.raises(ResourceError, match=words), whole_folder(tmp_path / "new"):
        raise OSError(number, os.strerror(number))
    assert list(tmp_path.iterdir()) == []


def test_a_place_below_a_file_is_told_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"), whole_folder(tmp_path / "file" / "new"):
        pytest.fail("no draft may be given")


def test_a_place_that_may_not_be_written_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("vesalia.datatools.whole_folder.tempfile.mkdtemp", refuse)
    with pytest.raises(ResourceError, match="cannot be written"), whole_folder(tmp_path / "new"):
        pytest.fail("no draft may be given")


def test_a_disk_that_is_full_at_the_start_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("vesalia.datatools.whole_folder.tempfile.mkdtemp", refuse)
    with pytest.raises(ResourceError, match="no space left"), whole_folder(tmp_path / "new"):
        pytest.fail("no draft may be given")
