"""Which items an epoch draws when categories are rebalanced: a function of seed and epoch alone.

Categories are numbered. An item may be in several of them (a chest X-ray with two findings), or in none.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

from vesalia.errors import ConfigError, DataError, Fault
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.order import shuffled

__all__ = ["CategorySampling", "Draw", "categories_of"]

_KEY = "category"
_WHERE = "image_pipeline"


@dataclass(frozen=True, slots=True)
class CategorySampling:
    """How a config rebalances: at least one of the two is given.

    Attributes:
        items_per_category: Items that an epoch draws of each category: one number for all, or one each. None draws as
            many in all as the epoch has items.
        category_weights: Relative share of the draws that each category gets; None is the same for all.
    """

    items_per_category: int | tuple[int, ...] | None = None
    category_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        weights = self.category_weights
        if weights is not None and (not any(weights) or min(weights) < 0 or not sum(weights) < float("inf")):
            found = f"category_weights: found {list(weights)}, expected numbers of 0 or more, one of them above 0"
            raise ConfigError(f"{found}; write [1.0, 2.0]")

    @classmethod
    def asked(
        cls, items_per_category: int | Sequence[int] | None, category_weights: Sequence[float] | None
    ) -> CategorySampling | None:
        """The sampling that a pipeline's arguments ask for; None where they ask for none."""
        if items_per_category is None and category_weights is None:
            return None
        many = None if category_weights is None else tuple(category_weights)
        if items_per_category is None or isinstance(items_per_category, int):
            return cls(items_per_category, many)
        return cls(tuple(items_per_category), many)

    def over(self, categories: Sequence[tuple[int, ...]], *, count: int) -> Draw:
        """The draw over items with these categories.

        Args:
            categories: Per item the categories it is in.
            count: How many categories there are.

        Raises:
            ConfigError: There are numbers for another count of categories, or none of the weighted ones has an item.
        """
        each = self.items_per_category
        numbers = (float(each),) * count if isinstance(each, int) else each
        parts = [("items_per_category", numbers), ("category_weights", self.category_weights)]
        shares = [1.0] * count
        for name, given in parts:
            if given is not None and len(given) != count:
                found = f"{len(given)} numbers ({', '.join(f'{number:g}' for number in given)})"
                expected = f"{count}, one per category"
                raise ConfigError(faults=[Fault(_WHERE, name, found, expected, f"{count} numbers")])
            shares = [share * number for share, number in zip(shares, given or (1.0,) * count, strict=True)]
        if not any(shares[category] for members in categories for category in members):
            raise ConfigError(
                faults=[Fault(_WHERE, "category_weights", "no item in a category above 0", "at least one item", "1.0")]
            )
        total = None if each is None else max(1, round(sum(shares)))
        return Draw(tuple(categories), tuple(shares), total)


@dataclass(frozen=True, slots=True)
class Draw:
    """The items of an epoch, drawn category by category.

    Each category gets its share of the places. Within a category every item is taken once before any is taken again.

    Attributes:
        categories: Per item the categories it is in.
        shares: Per category its relative share.
        total: Items of an epoch; None is as many as the window holds.
    """

    categories: tuple[tuple[int, ...], ...]
    shares: tuple[float, ...]
    total: int | None = None

    def count(self, window: Sequence[int]) -> int:
        """Items that an epoch over ``window`` has."""
        return len(window) if self.total is None else self.total

    def order(self, window: Sequence[int], *, seed: int, epoch: int) -> list[int]:
        """The items of ``epoch`` in the order in which it takes them; a window without a drawn category gives all."""
        members = [[item for item in window if category in self.categories[item]] for category in range(self._width)]
        shares = [share if items else 0.0 for share, items in zip(self.shares, members, strict=True)]
        if not any(shares):
            members, shares = [list(window)], [1.0]
        counts = _apportioned(self.count(window), shares)
        drawn = [
            item
            for category, (items, wanted) in enumerate(zip(members, counts, strict=True))
            for item in _passes(items, wanted, seed=seed, path=("epoch", epoch, "category", category))
        ]
        return shuffled(drawn, seed=seed, path=("epoch", epoch, "order"))

    @property
    def _width(self) -> int:
        return len(self.shares)


def _apportioned(total: int, shares: Sequence[float]) -> list[int]:
    """``total`` split by ``shares`` into whole numbers: the largest remainders are rounded up."""
    exact = [total * share / sum(shares) for share in shares]
    counts = [floor(part) for part in exact]
    by_remainder = sorted(range(len(shares)), key=lambda place: (counts[place] - exact[place], place))
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts


def _passes(items: Sequence[int], wanted: int, *, seed: int, path: tuple[str | int, ...]) -> list[int]:
    """``wanted`` items: whole passes in orders of their own, the last one cut off."""
    taken: list[int] = []
    while len(taken) < wanted:
        taken += shuffled(items, seed=seed, path=(*path, len(taken)))[: wanted - len(taken)]
    return taken


def categories_of(
    items: Sequence[DataItem], *, label_format: Sequence[int] | None = None
) -> tuple[list[tuple[int, ...]], int]:
    """Per item its categories, and how many categories there are.

    An entry's own ``category`` (a whole number, or several) is taken where all entries have one. Otherwise the label's
    numbers say it: each class of an n-way label is a category, each binary label that is 1 is one, and where all
    labels are binary, items without any are the last. A single binary label has the categories 0 and 1.

    Raises:
        DataError: Entries have neither.
    """
    own = [_own(item) for item in items]
    if all(own):
        return [one or () for one in own], 1 + max(number for one in own for number in one or ())
    vectors = [item.vectors.get("label") for item in items]
    if any(vector is None for vector in vectors):
        nameless = next(item.name for item, vector in zip(items, vectors, strict=True) if vector is None)
        write = '"category": 0 in each entry, or no items_per_category and no category_weights'
        fault = Fault(nameless, _KEY, found="no category", expected="a whole number in each entry", write=write)
        raise DataError(faults=[fault])
    widths = tuple(label_format or (1,) * max(len(vector or ()) for vector in vectors))
    if widths == (1,):
        widths = (2,)
    count = sum(widths)
    found = [_of_vector(vector or (), widths) for vector in vectors]
    if any(width > 1 for width in widths):
        return found, count
    return [categories or (count,) for categories in found], count + 1


def _own(item: DataItem) -> tuple[int, ...] | None:
    value = item.raw.get(_KEY)
    numbers: list[Any] = value if isinstance(value, list) else [value]
    whole = all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers)
    return tuple(numbers) if whole and numbers else None


def _of_vector(vector: Sequence[float], widths: Sequence[int]) -> tuple[int, ...]:
    categories, first = [], 0
    for number, width in zip(vector, widths, strict=False):
        if width > 1:
            categories.append(first + min(max(round(number), 0), width - 1))
        elif number > 0:
            categories.append(first)
        first += width
    return tuple(categories)
