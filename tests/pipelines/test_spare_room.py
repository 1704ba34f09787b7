"""Where the shared memory is too small: items lie on disk, every process finds them, and they go with the last one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.pipelines.volumes import prepared_items
from vesalia.pipelines import spare_room as module
from vesalia.pipelines.cache import Cache
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.pipelines.spare_room import SpareRoom, link
from vesalia.pipelines.store import sample_bytes
from vesalia.pipelines.store_shared import SharedStore
from vesalia.runtime import shared_folders


@pytest.fixture(autouse=True)
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the folder for temporary files, beside a shared memory without room."""
    memory, folder = tmp_path / "shm", tmp_path / "tmp"
    memory.mkdir()
    folder.mkdir()
    monkeypatch.setattr(shared_folders, "_SHARED_MEMORY", memory)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    real = shutil.disk_usage

    def usage(path: Path) -> object:
        return SimpleNamespace(free=0, total=64e6) if memory in (path, path.parent) else real(path)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return folder


@pytest.fixture
def inner(tmp_path: Path) -> PreparedItems:
    return prepared_items(tmp_path, 4)


def store(inner: PreparedItems, *, limit: int | None = None) -> SharedStore:
    return SharedStore("spare", inner.items, limit=limit)


def cache(inner: PreparedItems, shared: SharedStore) -> Cache:
    return Cache(inner, num_cache_objects=4, num_workers=0, store=shared)


def test_items_lie_on_disk_and_the_reason_is_told(inner: PreparedItems, disk: Path) -> None:
    held = cache(inner, store(inner))
    held.move_to(0)
    assert held.held == {0, 1, 2, 3}
    assert len(list(disk.glob("*/*.safetensors"))) == 4
    assert torch.equal(held.get(2)["image"].data, inner.get(2)["image"].data)
    assert "found 0 bytes of 64 MB free, so 4 items are kept in " in str(held.warnings[0])
    held.close()
    assert list(disk.iterdir()) == []


def test_what_another_process_lets_go_of_meanwhile_is_not_counted(
    inner: PreparedItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = cache(inner, store(inner))
    held.move_to(0)
    read = Path.readlink

    def late(path: Path) -> Path:
        if path.name == "2.safetensors":
            path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "readlink", late)
    assert "so 3 items are kept in " in str(held.warnings[0])
    held.close()


def test_another_process_finds_them(inner: PreparedItems, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = cache(inner, store(inner)), cache(inner, store(inner))
    one.move_to(0)
    monkeypatch.setattr(PreparedItems, "make", None)
    other.move_to(0)
    assert other.held == {0, 1, 2, 3}
    assert "4 items are kept" in str(other.warnings[0])
    other.close()
    one.close()


def test_the_limit_counts_what_is_on_disk(inner: PreparedItems) -> None:
    shared = store(inner, limit=2 * sample_bytes(inner.get(0)) + 8000)
    held = cache(inner, shared)
    held.move_to(0)
    assert held.held == {0, 1}
    held.close()


def test_what_leaves_the_window_leaves_the_disk(inner: PreparedItems, disk: Path) -> None:
    held = SmartCache(inner, num_cache_objects=2, replace_percent=0.5, num_workers=0, store=store(inner))
    for epoch in range(3):
        held.move_to(epoch)
        names = {path.stem for path in disk.glob("*/*.safetensors")}
        assert names == {str(index) for index in held.window(epoch)}
    held.close()


def test_without_room_anywhere_items_are_made_each_time_and_that_is_told(
    inner: PreparedItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vesalia.pipelines.store_shared._KEEP_FREE", 1.1)
    held = cache(inner, store(inner))
    held.move_to(0)
    assert held.held == set()
    assert "so items are made each time" in str(held.warnings[0])
    held.close()


def test_a_disk_that_cannot_be_written_has_no_room(inner: PreparedItems, disk: Path) -> None:
    shared = store(inner)
    shared.open()
    (disk / shared.folder.name).touch()
    assert not shared.put(0, inner.make(0))
    shared.close()


def test_without_shared_memory_there_is_no_other_disk(inner: PreparedItems, disk: Path) -> None:
    room = SpareRoom(disk / "session")
    assert not room.take(disk / "session" / "0", inner.make(0), size=1, keep_free=0.0)


def test_where_there_is_no_room_for_a_claim_the_item_is_made(
    inner: PreparedItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    shared = store(inner)
    shared.open()
    monkeypatch.setattr(Path, "open", full)
    assert shared.claims(0)


def test_where_links_cannot_be_made_nothing_is_left_and_that_is_told(
    inner: PreparedItems, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "link", lambda *_: False)
    held = cache(inner, store(inner))
    held.move_to(0)
    assert held.held == set()
    assert list(disk.glob("*/*.safetensors")) == []
    assert "so items are made each time" in str(held.warnings[0])
    held.close()


def test_a_link_replaces_one_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "none")
    (tmp_path / "file").write_text("a")
    assert link(tmp_path / "file", tmp_path / "link")
    assert (tmp_path / "link").read_text() == "a"
    assert not link(None, tmp_path / "link")


def test_where_links_cannot_be_made_there_is_none(tmp_path: Path) -> None:
    assert not module.link(tmp_path, tmp_path / "none" / "link")


def test_a_file_of_somebody_else_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    SpareRoom(tmp_path / "session").forget(tmp_path / "link")
    assert (tmp_path / "file").exists()


def test_what_a_killed_process_leaves_on_disk_is_removed(disk: Path) -> None:
    user = shared_folders.folder_of("dead").name
    for name, member in (("dead", "{"), ("alive", shared_folders.this_process())):
        folder = disk / user.replace("dead", name)
        folder.mkdir()
        (folder / "member-1").write_text(member)
    shared_folders.remove_leftovers()
    assert [folder.name for folder in disk.iterdir()] == [user.replace("dead", "alive")]
