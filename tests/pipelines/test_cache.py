"""The cache: filled once, shared, never larger than what it shows, and gone when closed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
import torch

from tests.pipelines.fakes import Load, items, prepared
from tests.threads import alive
from vesalia.errors import DataError, VesaliaError
from vesalia.imaging.volume import Sample
from vesalia.pipelines import cache as module
from vesalia.pipelines.cache import Cache
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.pipelines.store import MemoryStore, sample_bytes
from vesalia.pipelines.store_disk import DiskStore
from vesalia.testing.pipelines import ItemSourceSuite


class TestSuite(ItemSourceSuite):
    def source(self, inner: PreparedItems) -> Cache:
        return Cache(inner, num_cache_objects=3, num_workers=2)


def cache(folder: Path, load: Load, *, count: int = 5, size: int = 3, workers: int = 2) -> Cache:
    return Cache(prepared(items(folder, count), load), num_cache_objects=size, num_workers=workers)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_item_is_loaded_once(tmp_path: Path, workers: int) -> None:
    load = Load()
    held = cache(tmp_path, load, workers=workers)
    told: list[tuple[int, int]] = []
    held.move_to(0, lambda done, total: told.append((done, total)))
    held.move_to(1)
    assert sorted(load.loaded) == ["c0", "c1", "c2"]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert held.get(1) is held.get(1)
    assert all(name.startswith("vesalia") == (workers > 0) for name in load.threads)
    assert not alive()


def test_more_places_than_items(tmp_path: Path) -> None:
    held = cache(tmp_path, Load(), size=50)
    assert list(held.window(7)) == [0, 1, 2, 3, 4]
    assert held.warnings == ()


def test_items_that_are_never_used_are_a_warning(tmp_path: Path) -> None:
    (warning,) = cache(tmp_path, Load()).warnings
    assert "found 3 of 5 items" in str(warning)
    assert "so 2 items are never used" in str(warning)


def test_what_is_not_held_is_made(tmp_path: Path) -> None:
    load = Load()
    held = cache(tmp_path, load)
    assert held.get(4).name == "c4"
    held.move_to(0)
    held.close()
    assert held.get(0).name == "c0"
    assert load.loaded.count("c0") == 2


class Broken(Load):
    """Cannot load odd numbers."""

    def transform(self, sample: Sample) -> Sample:
        done = super().transform(sample)
        if int(sample.name[1:]) % 2:
            raise DataError(f"{sample.name}: found noise, expected an image")
        return done


@pytest.mark.parametrize("workers", [0, 2])
def test_all_items_that_cannot_be_used_are_told_at_once(tmp_path: Path, workers: int) -> None:
    held = cache(tmp_path, Broken(), size=5, workers=workers)
    with pytest.raises(DataError) as caught:
        held.move_to(0)
    assert str(caught.value).splitlines() == [
        "2 items cannot be used",
        "c1: found noise, expected an image",
        "c3: found noise, expected an image",
    ]
    assert not alive()


def test_one_item_that_cannot_be_used_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^c1: found noise"):
        cache(tmp_path, Broken(), size=2).move_to(0)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_interrupt_while_filling_leaves_no_thread(tmp_path: Path, workers: int) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt(done, total)

    held = cache(tmp_path, Load(), size=5, workers=workers)
    with pytest.raises(KeyboardInterrupt):
        held.move_to(0, stop)
    assert not alive()
    held.close()
    held.move_to(0)
    assert held.get(4).name == "c4"


def test_listed_twice_is_held_twice(tmp_path: Path) -> None:
    listed = items(tmp_path, 1)
    again = DataItem("c0_2", listed[0].files, raw={})
    held = Cache(prepared([*listed, again], Load()), num_cache_objects=2, num_workers=0)
    held.move_to(0)
    assert [held.get(index).name for index in held.window(0)] == ["c0", "c0_2"]
    assert torch.equal(held.get(0)["image"].data, held.get(1)["image"].data)


def item_bytes(folder: Path) -> int:
    return sample_bytes(prepared(items(folder, 1), Load()).get(0))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_budget_is_kept_and_what_has_no_room_is_made_each_time(tmp_path: Path, workers: int) -> None:
    load, limit = Load(), 2 * item_bytes(tmp_path)
    inner, store = prepared(items(tmp_path, 5), load), MemoryStore(limit=limit)
    held = Cache(inner, num_cache_objects=5, num_workers=workers, store=store, budget_gb=limit / 1e9)
    held.move_to(0)
    assert len(held.held) == 2
    plan = held.plan
    assert (plan.items, plan.held, plan.held_bytes, plan.limit_bytes) == (5, 2, limit, limit)
    before = len(load.loaded)
    held.move_to(1)
    assert len(load.loaded) == before
    assert [held.get(index).name for index in held.window(0)] == [f"c{number}" for number in range(5)]
    assert len(load.loaded) == before + 3
    assert len(held.held) == 2


@pytest.mark.parametrize("persist", [False, True])
def test_what_has_no_room_on_a_device_goes_there_when_it_is_asked_for(tmp_path: Path, *, persist: bool) -> None:
    inner = prepared(items(tmp_path, 4), Load())
    store = MemoryStore(limit=2 * item_bytes(tmp_path), device="meta")
    disk = DiskStore(tmp_path / "kept", inner.items, made_by=[]) if persist else None
    held = Cache(inner, num_cache_objects=4, num_workers=0, store=store, behind=disk)
    held.move_to(0)
    assert held.held == {0, 1}
    voxels = [held.get(index)["image"].data for index in range(4)]
    assert torch.stack(voxels).is_meta


def test_a_place_behind_is_asked_first_and_filled(tmp_path: Path) -> None:
    listed, load = items(tmp_path, 3), Load()
    behind = DiskStore(tmp_path / "kept", listed, made_by=["load"])
    for _ in range(2):
        held = Cache(prepared(listed, load), num_cache_objects=3, num_workers=2, store=MemoryStore(), behind=behind)
        held.move_to(0)
        assert held.held == {0, 1, 2}
        assert behind.held == frozenset()
        held.close()
    assert len(load.loaded) == 3


def test_an_unforeseen_error_leaves_no_claim(tmp_path: Path) -> None:
    class Wrong(Load):
        def transform(self, sample: Sample) -> Sample:
            raise RuntimeError(sample.name)

    listed = items(tmp_path, 2)
    store = DiskStore(tmp_path / "kept", listed, made_by=["load"])
    with pytest.raises(VesaliaError, match="c0: RuntimeError: c0"):
        Cache(prepared(listed, Wrong()), num_cache_objects=2, num_workers=0, store=store).move_to(0)
    assert list((tmp_path / "kept").iterdir()) == []


def test_what_is_made_anew_has_no_plan(tmp_path: Path) -> None:
    assert prepared(items(tmp_path, 1), Load()).plan is None


class Shared(MemoryStore):
    """Another process lets go of its items when it is asked for the third time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[int]] = []

    def awaits_room(self, wanted: Collection[int]) -> bool:
        self.asked.append(sorted(wanted))
        return len(self.asked) < 3


def moving(folder: Path, store: MemoryStore) -> SmartCache:
    return SmartCache(
        prepared(items(folder, 4), Load()), num_cache_objects=2, replace_percent=0.5, num_workers=0, store=store
    )


def test_what_comes_waits_until_the_others_have_let_go_too(tmp_path: Path) -> None:
    store = Shared()
    held = moving(tmp_path, store)
    held.move_to(0)
    assert store.asked == []
    held.move_to(1)
    assert store.asked == [[2]] * 3


def test_others_that_do_not_follow_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OTHERS_FOLLOW_S", 0.0)
    store = Shared()
    held = moving(tmp_path, store)
    held.move_to(0)
    held.move_to(1)
    assert store.asked == [[2]]
    assert held.held == {1, 2}
