"""The source of the pipelines with a cache: what their arguments make of the items."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.smart_cache import SmartCache

__all__ = ["cached_source"]


def cached_source(
    prepared: PreparedItems,
    *,
    caches_data: bool,
    num_cache_objects: int,
    replace_percent: float,
    num_workers: int,
    shuffle_seed: int | None,
) -> ItemSource:
    """The items as a cache keeps them; without ``caches_data`` the items as they are.

    Args:
        prepared: The items.
        caches_data: Whether anything is kept.
        num_cache_objects: Items to keep.
        replace_percent: The part of them that is replaced after an epoch: a fraction of 1.
        num_workers: Threads that load.
        shuffle_seed: Seed for the order in which a moving window runs over the list; None for the list's order.
    """
    if not caches_data:
        return prepared
    return SmartCache(
        prepared,
        num_cache_objects=num_cache_objects,
        replace_percent=replace_percent,
        num_workers=num_workers,
        shuffle_seed=shuffle_seed,
    )
