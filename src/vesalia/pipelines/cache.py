"""A cache of what the deterministic part of the chain gives, filled in parallel before the first epoch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from vesalia.errors import DataError, Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.base import ItemSource, Progress
from vesalia.pipelines.item_file import Kept
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.plan import CachePlan
from vesalia.pipelines.prefetch import Job, Results, Step, prefetch
from vesalia.pipelines.store import MemoryStore, Store
from vesalia.runtime.memory import give_back_memory

__all__ = ["Cache", "Loaded"]

_LOOK_EVERY_S = 0.05
_OTHERS_FOLLOW_S = 5.0
"""How long another process may be behind at an epoch's end; after that its items are not waited for."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of an item: it is kept, there was no room, another process makes it, or it cannot be used."""

    index: int
    error: DataError | None = None
    elsewhere: bool = False


class Cache(ItemSource):
    """Keeps the first N items of the list; an epoch uses these alone.

    What is kept is shared with everyone who asks and never changed in place: transforms give new volumes. Items for
    which there is no room are made each time they are asked for.

    Attributes:
        prepare_s: Seconds that each item took that this process made.
    """

    def __init__(
        self,
        inner: PreparedItems,
        *,
        num_cache_objects: int,
        num_workers: int,
        store: Store | None = None,
        behind: Store | None = None,
        budget_gb: float | None = None,
    ) -> None:
        """Wrap a source.

        Args:
            inner: Makes the items.
            num_cache_objects: Items to keep; more than there are means all.
            num_workers: Threads that load; 0 loads in the caller's thread.
            store: Where items are kept; this process's memory where none is given.
            behind: Where items are looked for, and put, before ``store`` gets them.
            budget_gb: What was allowed for the store, to be told.
        """
        self._inner = inner
        self._size = min(num_cache_objects, len(inner.items))
        self._workers = num_workers
        self._store = store or MemoryStore()
        self._behind = behind
        self._budget_gb = budget_gb
        self._full, self._disk_full = False, behind is None
        self._left: set[int] = set()
        self.prepare_s: list[float] = []
        self._loading: Results[Loaded] | None = None

    def window(self, epoch: int) -> Sequence[int]:
        """The same items in every epoch."""
        return range(self._size)

    def get(self, index: int) -> Sample:
        """Item ``index`` as it is kept; one that is not kept is read from disk, or made anew."""
        held = self._store.get(index)
        if held is not None:
            return held
        found = self._behind is not None and self._inner.bad.error(index) is None
        kept = self._behind.find(index) if self._behind is not None and found else None
        return self._store.placed(self._inner.get(index) if kept is None else kept.sample)

    @property
    def held(self) -> frozenset[int]:
        """The items that are kept now, those included that were loaded for the next epoch."""
        return self._store.held

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What was noticed in the items, and that some are never used."""
        behind = () if self._behind is None else self._behind.warnings
        return (*self._unused(), *self._store.warnings, *behind, *self._inner.warnings)

    @property
    def plan(self) -> CachePlan:
        """What the cache holds of the current window, and how long an item takes to make."""
        return CachePlan(
            items=max(self._size - len(self._inner.bad.messages), len(self._store.held)),
            held=min(self._size, len(self._store.held)),
            held_bytes=self._store.held_bytes,
            limit_bytes=self._store.limit,
            budget_gb=self._budget_gb,
            place=self._store.place,
            prepare_s=sum(self.prepare_s) / max(1, len(self.prepare_s)),
            read_from="" if self._behind is None or self._disk_full else self._behind.place,
        )

    def _unused(self) -> tuple[Fault, ...]:
        never = len(self._inner.items) - self._size
        if never == 0:
            return ()
        found = f"{self._size} of {len(self._inner.items)} items and replace_percent 0, so {never} items are never used"
        write = f"{len(self._inner.items)}, or replace_percent above 0"
        return (
            Fault("image_pipeline", "num_cache_objects", found, "a cache that holds all items, or a moving one", write),
        )

    def move_to(self, epoch: int, progress: Progress | None = None) -> None:
        """Hold the items of ``epoch``: drop those that left the window, load those that are missing.

        Raises:
            DataError: Items that cannot be used, all of them at once.
        """
        window = self.window(epoch)
        for store in filter(None, (self._behind, self._store)):
            store.open()
        roomier = self._let_go_of_all_but(set(window))
        if roomier:
            self._left, self._full = set(), False
        missing = [index for index in window if not self._is_settled(index)]
        if roomier and missing:
            self._wait_for_room(missing)
        while missing:
            loading = self._load(missing, workers=self._workers)
            others = self._take(loading, progress, done=len(window) - len(missing), total=len(window))
            missing = self._wait_for(others, progress, window)
        if self._behind is not None:
            self._behind.keep_only(())
        if self.prepare_s:
            give_back_memory()

    def _let_go_of_all_but(self, wanted: Collection[int]) -> bool:
        before = self._store.held_bytes
        self._store.keep_only(wanted)
        return self._store.held_bytes < before

    def _is_settled(self, index: int) -> bool:
        """Whether nothing is to be done for an item: it is kept, has no room, or is out of use."""
        return index in self._left or self._store.get(index) is not None or self._inner.bad.error(index) is not None

    def _load(self, indices: Sequence[int], *, workers: int) -> Results[Loaded]:
        steps = (
            Step([Job(self._inner.items[index].name, partial(self._load_one, index))], _first) for index in indices
        )
        return prefetch(steps, workers=min(workers, len(indices)), ahead=len(indices))

    def _load_one(self, index: int) -> Loaded:
        keeps = self._behind or self._store
        try:
            kept = self._found(index) or self._in_hand(index)
            if kept is not None:
                self._keep(index, kept)
            elif self._full and self._disk_full:  # what comes now has no room either
                self._left.add(index)
            elif not keeps.claims(index):
                return Loaded(index, elsewhere=True)
            else:
                try:
                    self._keep(index, keeps.find(index) or self._make(index, keeps))
                finally:
                    keeps.release(index)
        except DataError as error:  # the other items are loaded all the same, so that all faults are told at once
            return Loaded(index, error=error)
        return Loaded(index)

    def _found(self, index: int) -> Kept | None:
        """An item that is there, in the store or behind it."""
        return self._store.find(index) or (None if self._behind is None else self._behind.find(index))

    def _in_hand(self, index: int) -> Kept | None:
        """An item that is prepared already and had no room before."""

    def _keep(self, index: int, kept: Kept) -> None:
        self._inner.remember(index, kept.faults)
        if self._store.get(index) is None and not self._store.put(index, kept):
            self._refused(index, kept)

    def _refused(self, index: int, kept: Kept) -> None:
        """There was no room for an item, and will be none for the others."""
        self._full = True
        self._left.add(index)

    def _make(self, index: int, keeps: Store) -> Kept:
        began = time.perf_counter()
        kept = self._inner.make(index)
        self.prepare_s.append(time.perf_counter() - began)
        if keeps is self._store:
            return kept
        if keeps.put(index, kept):
            return keeps.find(index) or kept
        self._disk_full = True
        return kept

    def _take(
        self, loading: Results[Loaded], progress: Progress | None = None, *, done: int = 0, total: int = 0
    ) -> list[int]:
        """Wait until all is loaded; the items that other processes make."""
        errors: list[DataError] = []
        elsewhere = []
        self._loading = loading
        with loading:
            for loaded in loading:
                if loaded.error is not None and self._inner.bad.skips:
                    self._inner.bad.report(loaded.index, loaded.error)
                    self._inner.bad.tell()
                elif loaded.error is not None:
                    errors.append(loaded.error)
                if loaded.elsewhere:
                    elsewhere.append(loaded.index)
                done += not loaded.elsewhere
                if progress is not None:
                    progress(done, total)
        if errors:
            raise _merged(errors)
        return elsewhere

    def _wait_for(self, others: list[int], progress: Progress | None, window: Sequence[int]) -> list[int]:
        """Wait until the other processes have made their items; they are to be loaded now, or made after all."""
        keeps = self._behind or self._store
        waiting = others
        while waiting:
            waiting = [index for index in waiting if keeps.awaited(index)]
            if progress is not None:
                progress(len(window) - len(waiting), len(window))
            if waiting:
                time.sleep(_LOOK_EVERY_S)
        return others

    def _wait_for_room(self, missing: Sequence[int]) -> None:
        """Wait until the other processes have let go, too, of what has left the window."""
        until = time.monotonic() + _OTHERS_FOLLOW_S
        while self._store.awaits_room(missing) and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)

    def close(self) -> None:
        """Stop loading, let go of all items, and give their memory back to the machine."""
        if self._loading is not None:
            self._loading.close()
        self._left, self._full = set(), False
        self._store.close()
        if self._behind is not None:
            self._behind.close()
        give_back_memory()


def _first(parts: list[Loaded]) -> Loaded:
    return parts[0]


def _merged(errors: Sequence[DataError]) -> DataError:
    """One error that says all that the errors say."""
    if len(errors) == 1:
        return errors[0]
    messages = [f"{len(errors)} items cannot be used", *(error.message for error in errors)]
    return DataError("\n".join(filter(None, messages)), faults=[fault for error in errors for fault in error.faults])
