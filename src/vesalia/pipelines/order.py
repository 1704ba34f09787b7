"""In which order an epoch takes its items, and how they fall into steps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch

from vesalia.runtime.seeds import generator

__all__ = ["epoch_order", "shuffled", "step_count", "steps"]


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


def steps(order: Sequence[int], batch_size: int, *, start_step: int = 0) -> list[Sequence[int]]:
    """The items of each step from ``start_step`` on: the rest of an epoch that is resumed there."""
    return [order[first : first + batch_size] for first in range(start_step * batch_size, len(order), batch_size)]
