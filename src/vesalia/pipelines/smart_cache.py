"""Smart Cache: a window of N items that runs over the list, a part of it replaced after every epoch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from vesalia.errors import Fault
from vesalia.pipelines.base import Progress
from vesalia.pipelines.cache import Cache, Loaded
from vesalia.pipelines.item_file import Kept
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.order import shuffled
from vesalia.pipelines.plan import CachePlan
from vesalia.pipelines.prefetch import Results
from vesalia.pipelines.store import Store
from vesalia.runtime.machine import in_words

__all__ = ["SmartCache", "replaced_per_epoch", "window_of"]


def replaced_per_epoch(items: int, *, num_cache_objects: int, replace_percent: float) -> int:
    """R, the items swapped at the end of an epoch: ceil(N * fraction), at most as many as wait outside.

    The fraction is taken as it is written: 0.07 of 100 is 7, though 0.07 * 100 is a little more than 7 in floats.
    """
    cached = min(num_cache_objects, items)
    return min(ceil(cached * Fraction(str(replace_percent))), items - cached)


def window_of(epoch: int, order: Sequence[int], *, cached: int, replaced: int) -> list[int]:
    """The items of an epoch: each epoch drops the oldest and appends the next, around the end of the list."""
    start = epoch * replaced
    return [order[(start + place) % len(order)] for place in range(cached)]


class SmartCache(Cache):
    """A cache whose items change: R of them leave after every epoch, R others come.

    The others are loaded by threads while the epoch runs. Where they are not ready at its end, the epoch's end waits
    for them: speed may suffer, the result never does. Between two epochs N + R items are in memory. Where there is room
    for fewer, as many as there are threads wait in these threads' hands; the rest is made at the epoch's end, which is
    a warning.
    """

    def __init__(
        self,
        inner: PreparedItems,
        *,
        num_cache_objects: int,
        replace_percent: float,
        num_workers: int,
        shuffle_seed: int | None = None,
        store: Store | None = None,
        behind: Store | None = None,
        budget_gb: float | None = None,
    ) -> None:
        """Wrap a source.

        Args:
            inner: Makes the items.
            num_cache_objects: N, the items to keep; more than there are means all of them, and no replacing.
            replace_percent: The part of N that is replaced after an epoch: a fraction of 1, not percent.
            num_workers: Threads that load; 0 loads in the caller's thread, at the epoch's end.
            shuffle_seed: Seed for the order in which the window runs over the list; None for the list's order.
            store: Where items are kept; this process's memory where none is given.
            behind: Where items are looked for, and put, before ``store`` gets them.
            budget_gb: What was allowed for the store, to be told.
        """
        super().__init__(
            inner,
            num_cache_objects=num_cache_objects,
            num_workers=num_workers,
            store=store,
            behind=behind,
            budget_gb=budget_gb,
        )
        count = len(inner.items)
        self._replaced = replaced_per_epoch(count, num_cache_objects=num_cache_objects, replace_percent=replace_percent)
        self._asked = replace_percent
        self._order: Sequence[int] = range(count)
        if shuffle_seed is not None and self._replaced > 0:
            # A window that stands still keeps the first N of the list, which can be foreseen.
            self._order = shuffled(self._order, seed=shuffle_seed, path=("window",))
        self._coming: Results[Loaded] | None = None
        self._coming_for = -1
        self._beside = False
        self._hand: dict[int, Kept] = {}
        self._handing = threading.Lock()

    def window(self, epoch: int) -> Sequence[int]:
        """The N items of ``epoch``, the oldest first."""
        return window_of(epoch, self._order, cached=self._size, replaced=self._replaced)

    def begin(self, epoch: int) -> None:
        """Start to load what the next epoch needs and this one lacks."""
        if self._coming is not None and self._coming_for == epoch + 1:
            return
        self._drop_coming()
        now = set(self.window(epoch))
        following = [index for index in self.window(epoch + 1) if index not in now]
        if following and self._workers > 0:
            self._coming_for, self._beside = epoch + 1, True
            self._coming = self._load(following, workers=max(1, self._workers // 2))

    def move_to(self, epoch: int, progress: Progress | None = None) -> None:
        """Hold the items of ``epoch``, those first that were loaded beside the epoch before it."""
        coming, self._coming = self._coming, None
        if coming is not None and epoch == self._coming_for:
            self._take(coming)
        elif coming is not None:
            coming.close()
        self._beside = False
        super().move_to(epoch, progress)
        self._hand.clear()

    def close(self) -> None:
        """Stop loading and let go of all items."""
        self._drop_coming()
        super().close()

    @property
    def plan(self) -> CachePlan:
        """What the cache holds of the current window, and how many more come beside an epoch."""
        return replace(super().plan, coming=self._replaced)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What was noticed in the items, and that the window cannot move without a wait, or at all."""
        return (*self._tight(), *super().warnings)

    def _drop_coming(self) -> None:
        if self._coming is not None:
            self._coming.close()
            self._coming = None
        self._beside = False
        self._hand.clear()

    def _in_hand(self, index: int) -> Kept | None:
        return self._hand.pop(index, None)

    def _refused(self, index: int, kept: Kept) -> None:
        """Keep in hand what was prepared beside an epoch: there will be room at its end."""
        with self._handing:
            if not self._beside or len(self._hand) >= self._workers:
                super()._refused(index, kept)
                return
            self._hand[index] = kept
            self._full = len(self._hand) >= self._workers  # the next would be made in vain

    def _tight(self) -> tuple[Fault, ...]:
        """That there is no room to prepare what comes beside an epoch, which then ends with a wait."""
        limit, held = self._store.limit, len(self._store.held)
        if limit is None or held == 0 or not 0 < self._workers < self._replaced or not self._disk_full:
            return ()
        each = self._store.held_bytes / held
        needed, room = each * (self._size + self._replaced), int(limit / each)
        if needed <= limit:
            return ()
        found = f"{self._size} items of which {self._replaced} are replaced after each epoch, and room for {room} "
        found += f"({in_words(limit)}), so most of them are prepared at the end of an epoch, while the training waits"
        expected = f"room for {self._size + self._replaced} ({in_words(needed)})"
        write = f"{int(room / (1 + Fraction(str(self._asked))))}, or give the cache more room"
        return (Fault("image_pipeline", "num_cache_objects", found, expected, write),)

    def _unused(self) -> tuple[Fault, ...]:
        if self._replaced > 0:
            return ()
        if self._asked == 0:
            return super()._unused()
        items = len(self._order)
        found = f"a cache of {items} or more for {items} items, so nothing is ever replaced"
        return (Fault("image_pipeline", "replace_percent", found, "fewer cached items than items", "0"),)
