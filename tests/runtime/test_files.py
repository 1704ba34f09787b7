"""Files are whole or not there, also when the disk is full."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from vesalia.errors import ResourceError
from vesalia.runtime.files import (
    append_text,
    as_resource_error,
    atomic_path,
    is_plain_name,
    require_writable,
    write_bytes,
    write_json,
    write_text,
)

FULL = Path("/dev/full")


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_half(target: Path, error: BaseException) -> None:
    """Begin to write ``target``, and fail."""
    with atomic_path(target) as temporary:
        temporary.write_text("half of the ne")
        raise error


class TestAtomicPath:
    def test_what_was_written_becomes_the_file(self, tmp_path: Path) -> None:
        target = tmp_path / "deep" / "er" / "file.txt"
        with atomic_path(target) as temporary:
            assert not target.exists()
            temporary.write_text("new")
        assert target.read_text() == "new"
        assert list(target.parent.iterdir()) == [target]

    def test_the_temporary_file_is_hidden_beside_the_target_and_keeps_its_suffixes(self, tmp_path: Path) -> None:
        with atomic_path(tmp_path / "image.nii.gz") as temporary:
            assert temporary.parent == tmp_path
            assert temporary.name.startswith(".")
            assert temporary.name.endswith(".nii.gz")

    def test_an_error_leaves_the_old_file_and_nothing_else(self, tmp_path: Path) -> None:
        target = tmp_path / "file.txt"
        target.write_text("old")
        with pytest.raises(KeyError):
            write_half(target, KeyError("x"))
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]

    def test_an_interrupt_leaves_nothing_half_written(self, tmp_path: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            write_half(tmp_path / "file.txt", KeyboardInterrupt())
        assert list(tmp_path.iterdir()) == []

    def test_permissions_follow_the_umask(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            write_text(tmp_path / "file.txt", "x")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == 0o640

    def test_other_errors_of_the_body_pass_unchanged(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "file.txt"):
            (tmp_path / "not there").read_text()

    def test_a_resource_error_of_the_body_is_not_wrapped_again(self, tmp_path: Path) -> None:
        inner = ResourceError("memory: found 1 GB, expected 2 GB")
        with pytest.raises(ResourceError) as caught, atomic_path(tmp_path / "file.txt"):
            raise inner
        assert caught.value is inner


class TestFullDisk:
    def test_a_disk_that_is_full_while_flushing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        target = tmp_path / "file.txt"
        target.write_text("old")
        monkeypatch.setattr(os, "fsync", no_space)
        with pytest.raises(ResourceError, match=r"file\.txt: found no space left on the disk, expected room"):
            write_text(target, "new")
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]

    def test_a_disk_that_is_full_while_writing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Path, "write_bytes", no_space)
        with pytest.raises(ResourceError, match="no space left"):
            write_bytes(tmp_path / "file.bin", b"1234")
        assert list(tmp_path.iterdir()) == []

    def test_a_disk_too_full_for_a_new_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tempfile.mkstemp", lambda **_: no_space())
        with pytest.raises(ResourceError, match="no space left"):
            write_text(tmp_path / "file.txt", "x")

    @pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full, the device that is always full")
    def test_a_device_that_is_really_full(self, tmp_path: Path) -> None:
        with pytest.raises(ResourceError, match=r"file\.txt: found no space left"), atomic_path(tmp_path / "file.txt"):
            FULL.write_text("x" * 100_000)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full, the device that is always full")
    def test_appending_to_a_device_that_is_really_full(self) -> None:
        with pytest.raises(ResourceError, match="/dev/full: found no space left"):
            append_text(FULL, "a line\n")


def test_a_folder_that_is_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match=r"found that it cannot be written \(.+\), expected a writable folder"):
        write_text(tmp_path / "file" / "inside.txt", "x")


def test_a_target_that_is_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ResourceError, match="found that it cannot be written"):
        write_text(tmp_path / "folder", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_read_only_disk_is_named() -> None:
    error = as_resource_error(Path("/media/x"), OSError(errno.EROFS, "Read-only file system"))
    assert str(error) == "/media/x: found that it cannot be written (Read-only file system), expected a writable folder"


def test_a_quota_counts_as_a_full_disk() -> None:
    assert "no space left" in str(as_resource_error(Path("x"), OSError(errno.EDQUOT, "Quota exceeded")))


def test_text_is_utf_8(tmp_path: Path) -> None:
    write_text(tmp_path / "file.txt", "Größe µm\n")
    assert (tmp_path / "file.txt").read_bytes() == "Größe µm\n".encode()


def test_json_is_indented_ends_with_a_newline_and_takes_paths(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"a": [1, 2], "path": Path("x/y")})
    text = (tmp_path / "file.json").read_text()
    assert json.loads(text) == {"a": [1, 2], "path": "x/y"}
    assert text.endswith("}\n")
    assert text.count("\n") > 3


def test_appending_keeps_what_was_there(tmp_path: Path) -> None:
    append_text(tmp_path / "log", "one\n")
    append_text(tmp_path / "log", "zwölf\n")
    assert (tmp_path / "log").read_text(encoding="utf-8") == "one\nzwölf\n"


def test_a_folder_that_takes_files_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable(tmp_path / "deep" / "er")
    assert list((tmp_path / "deep" / "er").iterdir()) == []


def test_a_folder_that_takes_none_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="file: found that it cannot be written"):
        require_writable(tmp_path / "file")


@pytest.mark.parametrize("name", ["a", "a.b c", "..a", "classification_results.csv"])
def test_a_plain_name_stays_in_its_folder(name: str) -> None:
    assert is_plain_name(name)


@pytest.mark.parametrize("name", ["", " ", ".", "..", " ..", "../b", "a/b", "/a", "a\\b", "a\0", "a\nb"])
def test_a_name_that_leads_elsewhere_is_not_plain(name: str) -> None:
    assert not is_plain_name(name)
