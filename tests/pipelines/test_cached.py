"""What the arguments of a cached pipeline make of the items."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.pipelines.base import ItemSource
from vesalia.pipelines.cached import cached_source
from vesalia.pipelines.smart_cache import SmartCache
from vesalia.testing.pipelines import numbered_items


def source(*, caches_data: bool, shuffle_seed: int | None = None) -> ItemSource:
    return cached_source(
        numbered_items(7),
        caches_data=caches_data,
        num_cache_objects=3,
        replace_percent=0.5,
        num_workers=0,
        shuffle_seed=shuffle_seed,
    )


def test_a_cache_holds_so_many() -> None:
    found = source(caches_data=True)
    assert isinstance(found, SmartCache)
    assert list(found.window(1)) == [2, 3, 4]


def test_a_seed_shuffles_what_a_moving_window_runs_over() -> None:
    assert list(source(caches_data=True, shuffle_seed=1).window(0)) != [0, 1, 2]


def test_without_caching_all_items_are_there() -> None:
    assert list(source(caches_data=False).window(0)) == list(range(7))
