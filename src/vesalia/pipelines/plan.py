"""What a cache will take, and what it will give: told before a training starts."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import psutil

from vesalia.runtime.machine import available_memory_bytes

__all__ = ["CachePlan", "in_words", "room_for_items"]

_GB = 1_000_000_000
_RESERVE_PART = 0.1
_WORTH_TELLING_S = 0.0001


def in_words(count: float) -> str:
    """A number of bytes for people: ``3.2 GB`` (powers of 1000)."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def room_for_items(budget_gb: float | None) -> int:
    """Bytes that a cache may take: the budget, and never what the machine needs for everything else."""
    reserve = int(max(_GB, _RESERVE_PART * psutil.virtual_memory().total))
    room = max(0, available_memory_bytes() - reserve)
    return room if budget_gb is None else min(room, int(budget_gb * _GB))


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePlan:
    """What a cache holds and what that means for the training.

    Attributes:
        items: Items of an epoch.
        held: Those that the cache holds; the others are made each time they are used.
        held_bytes: What they take.
        limit_bytes: What they may take; None without a limit.
        budget_gb: What the config or the command line allows, if it does.
        place: Where they are.
        prepare_s: Seconds that one worker takes to prepare an item; 0 where none was.
        augment_s: Seconds that one worker takes for the random part of the chain.
        items_per_step: Items of a step of this process.
        workers: Threads that work at the same time.
    """

    items: int
    held: int
    held_bytes: int
    limit_bytes: int | None
    budget_gb: float | None
    place: str
    prepare_s: float
    augment_s: float = 0.0
    items_per_step: int = 1
    workers: int = 1

    @property
    def item_bytes(self) -> int:
        """What an item takes, on average."""
        return self.held_bytes // max(1, self.held)

    @property
    def step_s(self) -> float:
        """Seconds between two batches, if nobody else needs the processor."""
        made = (self.items - self.held) / max(1, self.items)
        return self.items_per_step * (self.augment_s + made * self.prepare_s) / max(1, self.workers)

    def waiting_share(self, network_s: float) -> float:
        """Part of the time that a network waits which takes ``network_s`` for a step, 0 to 1."""
        return max(0.0, 1 - network_s / self.step_s) if self.step_s else 0.0

    def to_text(self) -> str:
        """The plan in a few words."""
        text = f"cache: {self.held} of {self.items} items of {in_words(self.item_bytes)}, {in_words(self.held_bytes)} "
        text += f"together, in {self.place}"
        if self.budget_gb is not None:
            text += f" (budget {self.budget_gb:g} GB)"
        if self.held < self.items:
            limit = "" if self.limit_bytes is None else f", as {in_words(self.limit_bytes)} may be used"
            text += f"; {self.items - self.held} items do not fit{limit}, and are made each time they are used "
            text += f"({self.prepare_s * 1000:.0f} ms each)"
        if self.step_s >= _WORTH_TELLING_S:
            text += f"; {self.workers} workers make a batch of {self.items_per_step} items in about "
            text += f"{self.step_s * 1000:.1f} ms: a step that takes longer does not wait for data"
        return text

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {**asdict(self), "item_bytes": self.item_bytes, "step_s": self.step_s}
