"""One copy for all processes of a machine: who makes what, what a limit means, and that nothing is left behind."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from tests.pipelines.fakes import WAIT_S
from tests.pipelines.volumes import prepared_items
from vesalia.errors import DataError
from vesalia.pipelines import store_shared as module
from vesalia.pipelines.cache import Cache
from vesalia.pipelines.item_file import write_item
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.pipelines.store import sample_bytes
from vesalia.pipelines.store_shared import SharedStore
from vesalia.runtime import shared_folders
from vesalia.testing.pipelines import ItemSourceSuite

GONE = json.dumps([2**22 + 1, 0.0])


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for /dev/shm."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr(shared_folders, "_SHARED_MEMORY", folder)
    return folder


@pytest.fixture
def inner(tmp_path: Path) -> PreparedItems:
    return prepared_items(tmp_path, 4)


class TestSuite(ItemSourceSuite):
    def source(self, inner: PreparedItems) -> SmartCache:
        self.number = getattr(self, "number", 0) + 1
        store = SharedStore(f"suite{self.number}", inner.items)
        return SmartCache(inner, num_cache_objects=3, replace_percent=0.5, num_workers=2, store=store)


def cache(inner: PreparedItems, store: SharedStore, *, size: int = 4, workers: int = 0) -> Cache:
    return Cache(inner, num_cache_objects=size, num_workers=workers, store=store)


def test_what_one_has_made_the_other_finds(inner: PreparedItems, base: Path) -> None:
    one, other = SharedStore("s", inner.items), SharedStore("s", inner.items)
    cache(inner, one).move_to(0)
    broken = PreparedItems(inner.items, prefix=_refuse, prepare=lambda sample: sample, seed=1)
    second = cache(broken, other)
    second.move_to(0)
    assert torch.equal(second.get(2)["image"].data, inner.get(2)["image"].data)
    assert second.held == {0, 1, 2, 3}
    assert len(list(base.glob("*/*.safetensors"))) == 4
    assert one.held_bytes == other.held_bytes > 4 * sample_bytes(inner.get(0)) - 4096


def _refuse(*_: object) -> Any:
    raise DataError("made twice")


def test_the_folder_goes_with_the_last_one(inner: PreparedItems, base: Path) -> None:
    one = SharedStore("s", inner.items)
    cache(inner, one).move_to(0)
    kept = one.get(0)
    member = next(base.glob("*/member-*"))
    (member.parent / "member-other").write_text(member.read_text())
    one.close()
    assert list(base.glob("*/*.safetensors")) != []
    (member.parent / "member-other").write_text(GONE)
    shared_folders.remove_leftovers()
    assert list(base.iterdir()) == []
    assert kept is not None
    assert torch.equal(kept["image"].data, inner.get(0)["image"].data)


def test_close_may_come_again(inner: PreparedItems, base: Path) -> None:
    store = SharedStore("s", inner.items)
    store.open()
    store.close()
    store.close()
    assert list(base.iterdir()) == []


def test_a_claim_of_the_living_is_waited_for(inner: PreparedItems) -> None:
    store = SharedStore("s", inner.items)
    store.open()
    other = threading.Event()
    claim = store.folder / "1.claim"
    claim.write_text(json.dumps([os.getppid(), psutil.Process(os.getppid()).create_time()]))
    told: list[tuple[int, int]] = []

    def finish() -> None:
        other.wait(WAIT_S)
        write_item(store.folder / "1.safetensors", inner.make(1), durable=False)

    thread = threading.Thread(target=finish)
    thread.start()

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            other.set()

    held = cache(inner, store)
    held.move_to(0, progress)
    thread.join()
    assert held.held == {0, 1, 2, 3}
    assert told == sorted(told)
    assert told[-1] == (4, 4)


def test_a_claim_of_the_dead_is_taken_over(inner: PreparedItems) -> None:
    store = SharedStore("s", inner.items)
    store.open()
    (store.folder / "1.claim").write_text(GONE)
    held = cache(inner, store)
    held.move_to(0)
    assert held.held == {0, 1, 2, 3}


def test_a_claim_that_was_never_signed_is_taken_over(inner: PreparedItems) -> None:
    store = SharedStore("s", inner.items)
    store.open()
    claim = store.folder / "1.claim"
    claim.touch()
    assert not store.claims(1)
    os.utime(claim, (time.time() - 60,) * 2)
    assert store.claims(1)


def test_what_has_no_room_is_made_each_time(inner: PreparedItems) -> None:
    store = SharedStore("s", inner.items, limit=2 * sample_bytes(inner.get(0)) + 8000)
    held = cache(inner, store)
    held.move_to(0)
    assert held.held == {0, 1}
    assert held.plan.held == 2
    assert store.held_bytes <= store.limit if store.limit else False
    assert torch.equal(held.get(3)["image"].data, inner.get(3)["image"].data)
    other = SharedStore("s", inner.items, limit=store.limit)
    assert not other.awaited(3)


def test_a_full_machine_is_no_error(inner: PreparedItems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEEP_FREE", 1.1)
    held = cache(inner, SharedStore("s", inner.items))
    held.move_to(0)
    assert held.held == set()
    assert held.get(0).name == "case0"


def test_what_leaves_the_window_makes_room(inner: PreparedItems, base: Path) -> None:
    limit = 2 * sample_bytes(inner.get(0)) + 8000
    store = SharedStore("s", inner.items, limit=limit)
    held = SmartCache(inner, num_cache_objects=2, replace_percent=0.5, num_workers=0, store=store)
    for epoch in range(3):
        held.move_to(epoch)
        assert held.held == set(held.window(epoch))
        assert len(list(base.glob("*/*.safetensors"))) == 2


def rank(folder: Path, inner: PreparedItems, *, room: int) -> tuple[SmartCache, SharedStore]:
    """One of several processes with a moving window of four, and memory for so many items."""
    write_item(folder / "one", inner.make(0), durable=False)
    store = SharedStore("s", inner.items, limit=room * (folder / "one").stat().st_size + 2000)
    return SmartCache(inner, num_cache_objects=4, replace_percent=0.25, num_workers=1, store=store), store


def kept(base: Path) -> list[str]:
    """The items that take room."""
    return sorted(file.stem for file in base.glob("*/*.safetensors"))


def test_a_rank_that_is_ahead_keeps_what_one_behind_lets_go(tmp_path: Path, base: Path) -> None:
    """Windows 0123, 1234, 2340: the first has item 0 for its next epoch when the second's epoch with it ends."""
    inner = prepared_items(tmp_path, 5)
    (ahead, mapped), (behind, others) = rank(tmp_path, inner, room=5), rank(tmp_path, inner, room=5)
    ahead.move_to(0)
    behind.move_to(0)
    ahead.move_to(1)
    assert kept(base) == ["0", "1", "2", "3", "4"]
    ahead.begin(1)
    ahead._take(vars(ahead)["_coming"])
    behind.move_to(1)
    assert others.held == {1, 2, 3, 4}
    assert mapped.held == {0, 1, 2, 3, 4}
    assert kept(base) == ["0", "1", "2", "3", "4"]
    ahead.move_to(2)
    assert kept(base) == ["0", "1", "2", "3", "4"]
    behind.move_to(2)
    assert kept(base) == ["0", "2", "3", "4"]
    assert len(ahead.prepare_s) + len(behind.prepare_s) == 5
    ahead.close()
    behind.close()


def test_what_another_process_maps_counts(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vesalia.pipelines.cache._OTHERS_FOLLOW_S", 0.0)
    inner = prepared_items(tmp_path, 5)
    (ahead, mapped), (behind, _) = rank(tmp_path, inner, room=4), rank(tmp_path, inner, room=4)
    ahead.move_to(0)
    behind.move_to(0)
    ahead.move_to(1)
    assert mapped.held == {1, 2, 3}
    assert kept(base) == ["0", "1", "2", "3"]
    assert mapped.awaits_room([4])
    assert not mapped.awaits_room([3])
    behind.move_to(1)
    assert not mapped.awaits_room([4])
    assert kept(base) == ["1", "2", "3", "4"]


def test_what_two_prepared_is_written_once(inner: PreparedItems) -> None:
    one, other = SharedStore("s", inner.items), SharedStore("s", inner.items)
    one.open()
    assert one.put(0, inner.make(0))
    written = (one.folder / "0.safetensors").stat().st_ino
    assert other.put(0, inner.make(0))
    assert (one.folder / "0.safetensors").stat().st_ino == written


def test_a_closed_one_holds_nothing_back(inner: PreparedItems, base: Path) -> None:
    one, other = SharedStore("s", inner.items), SharedStore("s", inner.items)
    cache(inner, one).move_to(0)
    cache(inner, other).move_to(0)
    (one.folder / "member-0").write_text(shared_folders.this_process())
    one.close()
    assert kept(base) == ["0", "1", "2", "3"]
    other.keep_only({3})
    assert kept(base) == ["3"]


def _fill(folder: Path, shm: Path, counts: Any, meeting: Any) -> None:
    shared_folders._SHARED_MEMORY = shm  # in a process of its own
    inner = prepared_items(folder, 4, written=True)
    held = cache(inner, SharedStore("both", inner.items), workers=2)
    meeting.wait(60)
    held.move_to(0)
    counts.put((len(held.prepare_s), sorted(held.held)))
    meeting.wait(60)
    held.close()


@pytest.mark.slow
def test_processes_fill_it_together(tmp_path: Path, base: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    counts: Any = spawn.Queue()
    meeting = spawn.Barrier(2)
    prepared_items(tmp_path, 4)
    processes = [spawn.Process(target=_fill, args=(tmp_path, base, counts, meeting)) for _ in range(2)]
    for process in processes:
        process.start()
    told = [counts.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    assert [held for _, held in told] == [[0, 1, 2, 3]] * 2
    assert sum(made for made, _ in told) == 4
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("limit", [None, 10**9])
def test_in_a_folder_that_vanished_there_is_no_room(inner: PreparedItems, limit: int | None) -> None:
    store = SharedStore("s", inner.items, limit=limit)
    store.open()
    shutil.rmtree(store.folder)
    assert not store.put(0, inner.make(0))


def test_a_folder_that_cannot_be_made_is_told(inner: PreparedItems) -> None:
    shared_folders.folder_of("s").touch()
    with pytest.raises(OSError, match="cannot be written"):
        SharedStore("s", inner.items).open()


def test_a_folder_that_vanished_is_told(inner: PreparedItems) -> None:
    store = SharedStore("s", inner.items)
    store.open()
    for file in store.folder.iterdir():
        file.unlink()
    store.folder.rmdir()
    with pytest.raises(OSError, match="cannot be written"):
        store.claims(0)
