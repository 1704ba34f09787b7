"""What a cache will take, and what it will give: told before a training starts."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from vesalia.runtime.machine import available_memory_bytes, in_words, total_memory_bytes

__all__ = ["CachePlan", "room_for_items"]

_GB = 1_000_000_000
_RESERVE_PART = 0.1
_WORTH_TELLING_S = 0.0001


def room_for_items(budget_gb: float | None) -> int:
    """Bytes that a cache may take: the budget, and never what the machine, or the container, needs for the rest."""
    reserve = int(max(_GB, _RESERVE_PART * total_memory_bytes()))
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
        network_s: Seconds that the network takes for a step, by a trial; 0 where none was made.
        read_from: Where the items are read from that the cache does not hold; empty where they are made.
        coming: Items that are prepared beside an epoch, to replace others at its end.
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
    network_s: float = 0.0
    coming: int = 0
    read_from: str = ""

    @property
    def item_bytes(self) -> int:
        """What an item takes, on average."""
        return self.held_bytes // max(1, self.held)

    @property
    def step_s(self) -> float:
        """Seconds between two batches, if nobody else needs the processor."""
        made = 0.0 if self.read_from else (self.items - self.held) / max(1, self.items)
        return self.items_per_step * (self.augment_s + made * self.prepare_s) / max(1, self.workers)

    @property
    def waiting_share(self) -> float | None:
        """Part of the time that the network is expected to wait, 0 to 1; None where its own time is not known."""
        if not self.network_s:
            return None
        return max(0.0, 1 - self.network_s / self.step_s) if self.step_s else 0.0

    def to_text(self) -> str:
        """The plan in a few words."""
        text = f"cache: {self.held} of {self.items} items of {in_words(self.item_bytes)}, {in_words(self.held_bytes)} "
        text += f"together, in {self.place}"
        if self.budget_gb is not None:
            text += f" (budget {self.budget_gb:g} GB)"
        more = self.coming * self.item_bytes
        if more and (self.limit_bytes is None or self.held_bytes + more <= self.limit_bytes):
            text += f", and {in_words(more)} for {self.coming} more that come beside each epoch"
        if self.held < self.items:
            limit = "" if self.limit_bytes is None else f", as {in_words(self.limit_bytes)} may be used"
            text += f"; {self.items - self.held} items do not fit{limit}, and are "
            made = f"made each time they are used ({self.prepare_s * 1000:.0f} ms each)"
            text += f"read from {self.read_from} each time they are used" if self.read_from else made
        return text + self._pace()

    def _pace(self) -> str:
        """How fast batches come, against how fast they are used."""
        share = self.waiting_share
        if self.step_s < _WORTH_TELLING_S and not share:
            return ""
        text = f"; {self.workers} workers make a batch of {self.items_per_step} items in about "
        text += f"{self.step_s * 1000:.1f} ms"
        if share is None:
            return f"{text}: a step that takes longer does not wait for data"
        return f"{text}, the network takes about {self.network_s * 1000:.1f} ms: expected waiting share {share:.0%}"

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            **asdict(self),
            "item_bytes": self.item_bytes,
            "step_s": self.step_s,
            "waiting_share": self.waiting_share,
        }
