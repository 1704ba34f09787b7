"""What the arguments of a cached pipeline make of the items."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vesalia.errors import ConfigError, ResourceError
from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.cached import CacheDevice, CacheSettings, RunSettings, cached_source
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.pipelines.store import Store
from vesalia.runtime import shared_folders
from vesalia.testing.pipelines import numbered_items


def source(
    *,
    shuffle_seed: int | None = None,
    run: RunSettings | None = None,
    device: CacheDevice = "cpu",
    made_by: object = "steps",
) -> ItemSource:
    return cached_source(
        numbered_items(7),
        CacheSettings(num_cache_objects=3, replace_percent=0.5, budget_gb=0.001, device=device),
        run=run or RunSettings(),
        made_by=[made_by],
        num_workers=0,
        shuffle_seed=shuffle_seed,
    )


def store_of(found: ItemSource) -> Store:
    store = vars(found)["_store"]
    assert isinstance(store, Store)
    return store


def test_a_cache_holds_so_many() -> None:
    found = source()
    assert isinstance(found, SmartCache)
    assert list(found.window(1)) == [2, 3, 4]


def test_a_seed_shuffles_what_a_moving_window_runs_over() -> None:
    assert list(source(shuffle_seed=1).window(0)) != [0, 1, 2]


def test_without_caching_there_is_nothing_to_set() -> None:
    assert CacheSettings.asked(caches_data=False, num_cache_objects=3, replace_percent=0.5) is None


def test_the_budget_of_the_run_goes_before_that_of_the_config() -> None:
    assert store_of(source()).limit == 1_000_000
    assert store_of(source(run=RunSettings(budget_gb=0.002))).limit == 2_000_000


def test_items_that_outlive_the_run_are_in_its_folder(tmp_path: Path) -> None:
    found = source(run=RunSettings(persist=tmp_path / "kept"))
    assert store_of(found).place == f"{tmp_path / 'kept'}, mapped"


def test_what_a_killed_run_left_goes_with_the_start_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_folders, "_SHARED_MEMORY", tmp_path)
    left = shared_folders.folder_of("killed")
    left.mkdir()
    (left / "member-1").write_text("[4194305, 0.0]")
    source()
    assert not left.exists()


def test_what_cannot_be_described_is_kept_in_memory_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    run = RunSettings(persist=tmp_path, say=said.append)
    found = source(run=run, made_by=object())
    assert store_of(found).place == "the memory of this process"
    assert "cannot be described (object)" in said[0]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU, so nothing is refused")
def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(ResourceError, match='cache_device: found "cuda" and no such GPU'):
        source(device="cuda")


@pytest.mark.parametrize("rank", [0, 1])
def test_a_cache_on_the_gpu_is_on_the_one_of_this_process(monkeypatch: pytest.MonkeyPatch, rank: int) -> None:
    """Its number is part of it: threads that put items there begin with the first GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: rank)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1000, 2000))
    store = store_of(source(device="cuda"))
    assert vars(store)["_device"] == torch.device("cuda", rank)
    assert store.place == f"the memory of cuda:{rank}"
    assert store.limit == 600


def test_what_a_user_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert RunSettings.asked(persist="auto").persist == tmp_path / "vesalia" / "items"
    assert RunSettings.asked(persist=tmp_path / "kept").persist == tmp_path / "kept"
    assert RunSettings.asked(on_bad_item="skip").on_bad_item == "skip"
    assert RunSettings.asked(on_bad_item="stop").on_bad_item == "stop"
    assert RunSettings.asked() == RunSettings()
    with pytest.raises(ConfigError, match="--on-bad-item: found 'ignore', expected stop or skip"):
        RunSettings.asked(on_bad_item="ignore")
