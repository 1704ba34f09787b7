"""The smart cache's window: v3's examples, its rules for any numbers, and the threads that load ahead."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from math import ceil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipelines.fakes import WAIT_S, Clock, Load, items, prepared
from tests.threads import alive
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.smart_cache import SmartCache, replaced_per_epoch, window_of
from vesalia.pipelines.store import MemoryStore, sample_bytes
from vesalia.runtime.machine import in_words
from vesalia.testing.pipelines import ItemSourceSuite


class TestSuite(ItemSourceSuite):
    def source(self, inner: PreparedItems) -> SmartCache:
        return SmartCache(inner, num_cache_objects=3, replace_percent=0.5, num_workers=2, shuffle_seed=1)


def smart(
    folder: Path, load: Load, *, size: int = 4, part: float = 0.25, workers: int = 2, seed: int | None = None
) -> SmartCache:
    inner = prepared(items(folder, 5), load)
    return SmartCache(inner, num_cache_objects=size, replace_percent=part, num_workers=workers, shuffle_seed=seed)


def test_windows_of_the_documented_example() -> None:
    windows = [window_of(epoch, [1, 2, 3, 4, 5], cached=4, replaced=1) for epoch in range(5)]
    assert windows == [[1, 2, 3, 4], [2, 3, 4, 5], [3, 4, 5, 1], [4, 5, 1, 2], [5, 1, 2, 3]]


@pytest.mark.parametrize(
    ("count", "size", "part", "replaced"),
    [
        (100, 50, 0.1, 5),
        (25, 15, 0.2, 3),
        (5, 4, 0.25, 1),
        (200, 100, 0.07, 7),
        (10, 4, 0.01, 1),
        (10, 4, 1.0, 4),
        (5, 4, 1.0, 1),
        (8, 32, 0.5, 0),
        (8, 8, 0.5, 0),
        (8, 4, 0.0, 0),
    ],
)
def test_how_many_are_replaced(count: int, size: int, part: float, replaced: int) -> None:
    assert replaced_per_epoch(count, num_cache_objects=size, replace_percent=part) == replaced


@given(st.integers(1, 60), st.integers(1, 80), st.integers(0, 100), st.integers(0, 200))
def test_rules_of_the_window(count: int, size: int, percent: int, epoch: int) -> None:
    part = percent / 100
    replaced = replaced_per_epoch(count, num_cache_objects=size, replace_percent=part)
    cached = min(size, count)
    assert replaced == min(ceil(cached * percent / 100 - 1e-9), count - cached)
    now = window_of(epoch, range(count), cached=cached, replaced=replaced)
    following = window_of(epoch + 1, range(count), cached=cached, replaced=replaced)
    assert len(set(now)) == cached
    assert following[: cached - replaced] == now[replaced:]
    assert len(set(following) - set(now)) == replaced


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 100))
def test_every_item_comes_round_when_the_window_moves(count: int, size: int, percent: int) -> None:
    replaced = replaced_per_epoch(count, num_cache_objects=size, replace_percent=percent / 100)
    cached = min(size, count)
    if replaced or cached == count:
        seen = {
            item for epoch in range(count) for item in window_of(epoch, range(count), cached=cached, replaced=replaced)
        }
        assert seen == set(range(count))


def test_replacements_are_loaded_beside_the_epoch(tmp_path: Path) -> None:
    beside = threading.Event()

    class Telling(Load):
        def transform(self, sample: Sample) -> Sample:
            done = super().transform(sample)
            if sample.name == "c4":
                beside.set()
            return done

    load = Telling()
    held = smart(tmp_path, load)
    held.move_to(0)
    assert load.loaded[4:] == []
    held.begin(0)
    held.begin(0)
    assert beside.wait(WAIT_S)
    assert load.loaded[4:] == ["c4"]
    held.move_to(1)
    assert load.loaded[4:] == ["c4"]
    assert list(held.window(1)) == [1, 2, 3, 4]
    assert held.held == {1, 2, 3, 4}
    assert not alive()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_each_epoch_holds_its_window(tmp_path: Path, workers: int) -> None:
    load = Load()
    held = smart(tmp_path, load, workers=workers)
    for epoch in range(6):
        held.move_to(epoch)
        assert held.held == set(held.window(epoch))
        held.begin(epoch)
    held.close()
    assert not alive()
    assert len(load.loaded) in {4 + 5, 4 + 6}


def test_an_epoch_end_waits_for_what_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    class Slow(Load):
        def transform(self, sample: Sample) -> Sample:
            if sample.name == "c4":
                assert clock.asked.wait(WAIT_S)
            return super().transform(sample)

    held = smart(tmp_path, Slow())
    held.move_to(0)
    monkeypatch.setattr(time, "perf_counter", clock)
    held.begin(0)
    assert not clock.asked.is_set()
    held.move_to(1)
    assert 4 in held.held


def test_a_resumed_run_loads_its_own_window_only(tmp_path: Path) -> None:
    load = Load()
    held = smart(tmp_path, load, size=2, part=0.5)
    held.move_to(3)
    assert sorted(load.loaded) == ["c3", "c4"]


def test_an_epoch_that_is_skipped_wastes_nothing_but_what_was_loaded(tmp_path: Path) -> None:
    held = smart(tmp_path, Load(), size=2, part=0.5)
    held.move_to(0)
    held.begin(0)
    held.move_to(3)
    assert held.held == {3, 4}
    assert not alive()


def test_the_window_runs_over_a_list_shuffled_once(tmp_path: Path) -> None:
    held = smart(tmp_path, Load(), seed=3)
    order = [held.window(epoch)[0] for epoch in range(5)]
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order == [smart(tmp_path, Load(), seed=3).window(epoch)[0] for epoch in range(5)]
    assert len({tuple(smart(tmp_path, Load(), seed=seed).window(0)) for seed in range(6)}) > 1


def test_a_window_that_stands_still_is_the_list_s_beginning(tmp_path: Path) -> None:
    held = smart(tmp_path, Load(), part=0.0, seed=3)
    assert [list(held.window(epoch)) for epoch in (0, 9)] == [[0, 1, 2, 3]] * 2
    assert "1 items are never used" in str(held.warnings[0])
    held.begin(0)
    assert not alive()


def test_a_cache_that_holds_all_and_should_replace_is_a_warning(tmp_path: Path) -> None:
    (warning,) = smart(tmp_path, Load(), size=9, part=0.5).warnings
    assert "nothing is ever replaced" in str(warning)
    assert smart(tmp_path, Load(), size=9, part=0.0).warnings == ()
    assert smart(tmp_path, Load()).warnings == ()


def test_a_replacement_that_cannot_be_used_is_told_at_the_epoch_s_end(tmp_path: Path) -> None:
    class Broken(Load):
        def transform(self, sample: Sample) -> Sample:
            if sample.name == "c4":
                raise DataError("c4: found noise")
            return super().transform(sample)

    held = smart(tmp_path, Broken())
    held.move_to(0)
    held.begin(0)
    with pytest.raises(DataError, match="c4: found noise"):
        held.move_to(1)
    assert not alive()


def test_close_at_any_moment(tmp_path: Path) -> None:
    held = smart(tmp_path, Load())
    held.close()
    held.move_to(0)
    held.begin(0)
    held.close()
    held.close()
    assert not alive()
    assert held.held == set()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_window_that_moves_keeps_its_budget(tmp_path: Path, workers: int) -> None:
    inner = prepared(items(tmp_path, 5), Load())
    store = MemoryStore(limit=4 * sample_bytes(inner.get(0)))
    held = SmartCache(inner, num_cache_objects=4, replace_percent=0.5, num_workers=workers, store=store)
    for epoch in range(4):
        held.move_to(epoch)
        held.begin(epoch)
        assert held.held == set(held.window(epoch))
        assert held.plan.held == 4
    held.close()
    assert not alive()


def full_to(
    folder: Path, load: Load, *, room: float, count: int = 6, size: int = 3, part: float = 0.5, workers: int = 2
) -> SmartCache:
    """A cache with room for so many items."""
    inner = prepared(items(folder, count), load)
    store = MemoryStore(limit=int(room * sample_bytes(prepared(items(folder, count), Load()).get(0))))
    return SmartCache(inner, num_cache_objects=size, replace_percent=part, num_workers=workers, store=store)


@pytest.mark.parametrize(("part", "comes"), [(0.5, ["c3", "c4"]), (1.0, ["c3", "c4", "c5"])])
def test_where_only_the_window_fits_what_comes_is_prepared_once(tmp_path: Path, part: float, comes: list[str]) -> None:
    """Two of them beside the epoch, in the hands of two workers; none is thrown away."""
    load = Load()
    held = full_to(tmp_path, load, room=3, part=part)
    held.move_to(0)
    load.loaded.clear()
    held.begin(0)
    held.move_to(1)
    assert load.loaded == comes
    assert held.held == set(held.window(1))
    assert held.plan.held_bytes == held.plan.limit_bytes


def test_no_more_are_in_hand_than_there_are_workers(tmp_path: Path) -> None:
    beside = threading.Event()

    class Telling(Load):
        def transform(self, sample: Sample) -> Sample:
            done = super().transform(sample)
            if sample.name == "c5":
                beside.set()
            return done

    load = Telling()
    held = full_to(tmp_path, load, room=3, part=1.0)
    held.move_to(0)
    held.begin(0)
    coming = vars(held)["_coming"]
    assert len(list(coming)) == 3
    assert not beside.is_set()
    held.close()
    assert vars(held)["_hand"] == {}


def test_a_window_that_cannot_move_beside_the_epoch_is_a_warning_with_figures(tmp_path: Path) -> None:
    held = full_to(tmp_path, Load(), room=4, part=1.0)
    held.move_to(0)
    (warning,) = held.warnings
    each = held.plan.item_bytes
    assert str(warning) == (
        "image_pipeline: num_cache_objects: found 3 items of which 3 are replaced after each epoch, and room for 4 "
        f"({in_words(4 * each)}), so most of them are prepared at the end of an epoch, while the training waits, "
        f"expected room for 6 ({in_words(6 * each)}); write 2, or give the cache more room"
    )


@pytest.mark.parametrize(("room", "part", "workers"), [(6, 1.0, 2), (3, 0.5, 2), (3, 1.0, 0), (0.5, 1.0, 2)])
def test_one_that_can_or_never_could_is_none(tmp_path: Path, room: float, part: float, workers: int) -> None:
    held = full_to(tmp_path, Load(), room=room, part=part, workers=workers)
    held.move_to(0)
    assert held.warnings == ()


def test_what_comes_is_in_the_plan_where_it_fits(tmp_path: Path) -> None:
    texts = []
    for room in (4.9, 5):
        held = full_to(tmp_path, Load(), room=room)
        held.move_to(0)
        texts.append(held.plan.to_text())
    more = in_words(2 * held.plan.item_bytes)
    assert [f", and {more} for 2 more that come beside each epoch" in text for text in texts] == [False, True]
