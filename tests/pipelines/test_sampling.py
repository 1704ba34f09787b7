"""Drawing by category: counts, fairness within a category, and a function of seed and epoch alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import ConfigError, DataError
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.sampling import CategorySampling, Draw, categories_of

SINGLE = [(0,), (0,), (0,), (1,)]


def items(*labels: tuple[float, ...], raws: list[dict[str, Any]] | None = None) -> list[DataItem]:
    entries = raws or [{}] * len(labels)
    return [
        DataItem(f"i{n}", {"image": (Path("i.png"),)}, raw, {"label": label} if label else {})
        for n, (label, raw) in enumerate(zip(labels, entries, strict=True))
    ]


def test_nothing_asked_is_no_sampling() -> None:
    assert CategorySampling.asked(None, None) is None


@pytest.mark.parametrize("weights", [(), (0.0, 0.0), (1.0, -1.0), (float("inf"), 1.0), (float("nan"), 1.0)])
def test_weights_that_mean_nothing(weights: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="category_weights: found"):
        CategorySampling.asked(None, weights)


@pytest.mark.parametrize(
    ("each", "weights", "expected"),
    [
        (4, None, (4, 4)),
        ([1, 5], None, (1, 5)),
        (None, [1.0, 1.0], (2, 2)),
        (None, [3.0, 1.0], (3, 1)),
        (2, [1.0, 2.0], (2, 4)),
    ],
)
def test_each_category_gets_its_part(each: Any, weights: Any, expected: tuple[int, int]) -> None:
    sampling = CategorySampling.asked(each, weights)
    assert sampling is not None
    order = sampling.over(SINGLE, count=2).order(range(4), seed=1, epoch=0)
    assert (sum(item < 3 for item in order), order.count(3)) == expected


def test_every_item_comes_once_before_any_comes_twice() -> None:
    order = Draw(tuple(SINGLE), (3.0, 1.0), 20).order(range(4), seed=1, epoch=0)
    assert [order.count(item) for item in range(4)] == [5, 5, 5, 5]


@given(
    st.lists(st.lists(st.integers(0, 3), max_size=3), min_size=1, max_size=20),
    st.lists(st.floats(0, 10), min_size=4, max_size=4),
    st.integers(1, 50),
    st.integers(0, 5),
)
def test_an_epoch_has_as_many_items_as_it_counts(
    categories: list[list[int]], shares: list[float], total: int, epoch: int
) -> None:
    draw = Draw(tuple(map(tuple, categories)), tuple(shares), total)
    window = range(len(categories))
    order = draw.order(window, seed=2, epoch=epoch)
    assert len(order) == draw.count(window) == total
    assert order == draw.order(window, seed=2, epoch=epoch)
    assert set(order) <= set(window)


def test_epochs_and_seeds_differ() -> None:
    draw = Draw(((0,),) * 50, (1.0,))
    orders = {tuple(draw.order(range(50), seed=seed, epoch=epoch)) for seed in (1, 2) for epoch in (0, 1)}
    assert len(orders) == 4


def test_a_window_without_a_drawn_category_gives_what_it_has() -> None:
    assert sorted(Draw(tuple(SINGLE), (0.0, 1.0)).order([0, 2], seed=1, epoch=0)) == [0, 2]


@pytest.mark.parametrize(("each", "weights"), [([1, 2, 3], None), (None, [1.0])])
def test_numbers_for_other_categories(each: Any, weights: Any) -> None:
    sampling = CategorySampling.asked(each, weights)
    assert sampling is not None
    with pytest.raises(ConfigError, match="expected 2, one per category"):
        sampling.over(SINGLE, count=2)


def test_weights_for_empty_categories_only() -> None:
    with pytest.raises(ConfigError, match="no item in a category above 0"):
        CategorySampling(category_weights=(0.0, 0.0, 1.0)).over(SINGLE, count=3)


@pytest.mark.parametrize(
    ("labels", "label_format", "expected"),
    [
        ([(0,), (1,)], [1], ([(0,), (1,)], 2)),
        ([(0,), (1,)], None, ([(0,), (1,)], 2)),
        ([(2,), (0,)], [3], ([(2,), (0,)], 3)),
        ([(1, 1), (0, 0), (0, 1)], [1, 1], ([(0, 1), (2,), (1,)], 3)),
        ([(1, 1), (0, 2)], [1, 3], ([(0, 2), (3,)], 4)),
    ],
)
def test_labels_say_the_category(
    labels: list[tuple[float, ...]], label_format: list[int] | None, expected: tuple[list[tuple[int, ...]], int]
) -> None:
    assert categories_of(items(*labels), label_format=label_format) == expected


def test_entries_may_say_their_category_themselves() -> None:
    raws: list[dict[str, Any]] = [{"category": 2}, {"category": [0, 1]}]
    assert categories_of(items((0,), (1,), raws=raws)) == ([(2,), (0, 1)], 3)


@pytest.mark.parametrize("value", [-1, "lung", True, [], 0.5])
def test_what_is_no_category(value: Any) -> None:
    with pytest.raises(DataError, match="i0: category: found no category"):
        categories_of(items((), raws=[{"category": value}]))
