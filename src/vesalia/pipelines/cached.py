"""The source of the pipelines with a cache: what their arguments, and the run's, make of the items."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vesalia.errors import ConfigError
from vesalia.pipelines.bad_items import BadItemAction
from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.described_code import Undescribed
from vesalia.pipelines.gpu_room import account_of, gpu_of_this_process
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.plan import room_for_items
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.pipelines.store import MemoryStore, Store
from vesalia.pipelines.store_disk import DiskStore, default_folder
from vesalia.pipelines.store_shared import SharedStore
from vesalia.pipelines.stored_form import CacheType
from vesalia.runtime.shared_folders import remove_leftovers

__all__ = ["CacheDevice", "CacheSettings", "RunSettings", "cached_source"]

CacheDevice = Literal["cpu", "cuda"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """What a config says of a cache; the constructors of the pipelines with a cache say what it means."""

    num_cache_objects: int
    replace_percent: float
    budget_gb: float | None = None
    dtype: CacheType = "auto"
    device: CacheDevice = "cpu"

    @staticmethod
    def asked(*, caches_data: bool, **asked: Any) -> CacheSettings | None:
        """The settings; None where ``caches_data`` says that nothing is kept."""
        return CacheSettings(**asked) if caches_data else None


def _unheard(message: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """What a run says beside its config; it goes before what the config says.

    Attributes:
        budget_gb: Bytes (in powers of 1000) that a cache may take.
        persist: Folder in which prepared items outlive the run; None for none.
        on_bad_item: What is done about items that cannot be used.
        session: What the processes on this machine that train together call themselves; empty for one alone.
        say: Tells the user what is noticed in the middle of a run.
        pinned: Whether batches are written to page-locked memory, from which a GPU takes them while others go on.
    """

    budget_gb: float | None = None
    persist: Path | None = None
    on_bad_item: BadItemAction | None = None
    session: str = ""
    say: Callable[[str], None] = _unheard
    pinned: bool = False

    @staticmethod
    def asked(
        *, budget_gb: float | None = None, persist: str | os.PathLike[str] | None = None, on_bad_item: str | None = None
    ) -> RunSettings:
        """The settings from what a user wrote; ``auto`` is the user's folder for caches.

        Raises:
            ConfigError: ``on_bad_item`` is neither of the two.
        """
        if on_bad_item not in {None, "stop", "skip"}:
            message = f"--on-bad-item: found {on_bad_item!r}, expected stop or skip; write --on-bad-item skip"
            raise ConfigError(message)
        folder = None if persist is None else default_folder() if str(persist) == "auto" else Path(persist).absolute()
        action: BadItemAction | None = "skip" if on_bad_item == "skip" else "stop" if on_bad_item == "stop" else None
        return RunSettings(budget_gb=budget_gb, persist=folder, on_bad_item=action)


def cached_source(
    prepared: PreparedItems,
    how: CacheSettings,
    *,
    run: RunSettings,
    made_by: Sequence[object],
    num_workers: int,
    shuffle_seed: int | None,
) -> ItemSource:
    """The items as a cache keeps them.

    Args:
        prepared: The items.
        how: What the config says.
        run: What the run says.
        made_by: Everything that decides what an item is.
        num_workers: Threads that load.
        shuffle_seed: Seed for the order in which a moving window runs over the list; None for the list's order.
    """
    remove_leftovers()  # of killed runs: memory that this one may need
    budget_gb = how.budget_gb if run.budget_gb is None else run.budget_gb
    disk = _disk(prepared, run, made_by)
    on_gpu = how.device != "cpu"
    if on_gpu:
        store: Store = _store_on_gpu(how.device, budget_gb)
    elif run.session:
        store = SharedStore(run.session, prepared.items, limit=room_for_items(budget_gb))
    else:
        store = MemoryStore(limit=room_for_items(budget_gb))
    if disk is not None and not on_gpu:
        store.place = f"{disk.place}, mapped"
    return SmartCache(
        prepared,
        num_cache_objects=how.num_cache_objects,
        replace_percent=how.replace_percent,
        num_workers=num_workers,
        shuffle_seed=shuffle_seed,
        store=store,
        behind=disk,
        budget_gb=budget_gb,
    )


def _disk(prepared: PreparedItems, run: RunSettings, made_by: Sequence[object]) -> DiskStore | None:
    if run.persist is None:
        return None
    try:
        return DiskStore(run.persist, prepared.items, made_by=made_by)
    except Undescribed as error:
        run.say(f"--persist-cache: found a step that cannot be described ({error}), so prepared items are not kept")
        return None


def _store_on_gpu(device: str, budget_gb: float | None) -> MemoryStore:
    """A store in the memory of this process's GPU.

    Raises:
        ResourceError: There is no GPU.
    """
    gpu = gpu_of_this_process(device)
    account = account_of(gpu)
    limit = account.left if budget_gb is None else min(account.left, int(budget_gb * 1e9))
    return MemoryStore(limit=limit, device=str(gpu), account=account)
