"""In which order an epoch takes its items, and how they fall into steps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import torch

from vesalia.runtime.seeds import generator

__all__ = ["WHOLE", "Shard", "epoch_order", "shuffled", "step_count", "steps", "steps_done"]


@dataclass(frozen=True, slots=True)
class Shard:
    """Which part of the work is this process's, where several train together.

    All of them know the one order of an epoch. A step takes ``world`` batches from it, and each rank its part, so
    that one process with as large a batch would take the very same items.

    Attributes:
        rank: This process, counted from 0.
        world: How many there are.
    """

    rank: int = 0
    world: int = 1

    def part(self, items: Sequence[int]) -> Sequence[int]:
        """This rank's contiguous part of a step's items; parts differ by one item at most, and may be empty."""
        least, more = divmod(len(items), self.world)
        first = self.rank * least + min(self.rank, more)
        return items[first : first + least + (self.rank < more)]

    def dealt(self, items: Sequence[int]) -> Sequence[int]:
        """This rank's items of a list that is dealt out one by one, as whole subjects are to be judged."""
        return items[self.rank :: self.world]

    @property
    def branch(self) -> tuple[str | int, ...]:
        """This rank's branch of a seed tree: the first rank has that of a process alone."""
        return ("rank", self.rank) if self.rank else ()


WHOLE = Shard()
"""All of the work: one process alone."""


def shuffled(items: Sequence[int], *, seed: int, path: Sequence[str | int]) -> list[int]:
    """The items in the order that the branch ``path`` of the seed tree gives them."""
    permutation: list[int] = torch.randperm(len(items), generator=generator(seed, *path)).tolist()
    return [items[place] for place in permutation]


def epoch_order(items: Sequence[int], *, seed: int, epoch: int, shuffle: bool) -> list[int]:
    """The items of one epoch in the order in which it takes them: a function of seed and epoch alone."""
    return shuffled(items, seed=seed, path=("epoch", epoch, "order")) if shuffle else list(items)


def step_count(items: int, batch_size: int) -> int:
    """Steps of an epoch: the last batch may be smaller, it is never dropped."""
    return ceil(items / batch_size)


def steps_done(done: int, items: int, *, batch_size: int) -> int:
    """Steps of an epoch of ``items`` of which ``done`` are done; a part of a step is none, unless it is the last."""
    return step_count(items, batch_size) if done >= items else done // batch_size


def steps(order: Sequence[int], batch_size: int, *, done: int = 0) -> list[Sequence[int]]:
    """The items of each step after the first ``done`` items: the rest of an epoch that is resumed there."""
    return [order[first : first + batch_size] for first in range(done, len(order), batch_size)]
