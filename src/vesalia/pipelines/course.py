"""The steps of one epoch after the other, each to be begun as soon as its items are there."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar, final

__all__ = ["Course"]

Made = TypeVar("Made")
Numbered = tuple[int, Sequence[int]]
"""A step: its number in the epoch, and its items."""


@final
class Course(Iterator[Made], Generic[Made]):
    """Gives the steps of the epoch that was entered, then the first steps of the next one.

    A step of the next epoch comes early where all its items are in the windows of both epochs: others are perhaps not
    loaded yet. Where a window stands still, that is every step. The iterator ends where no more may be begun now, and
    goes on after :meth:`enter`; no epoch after the next one is begun.

    Attributes:
        entered: The epoch whose steps are being taken.
    """

    def __init__(
        self,
        epoch: int,
        *,
        plan: Callable[[int], Iterable[Numbered]],
        window: Callable[[int], Sequence[int]],
        make: Callable[[int, int, Sequence[int]], Made],
        todo: Iterable[Numbered] | None = None,
    ) -> None:
        """Enter ``epoch``.

        Args:
            epoch: The first epoch.
            plan: Gives the number and the items of each step of an epoch.
            window: Gives the items that an epoch uses.
            make: Makes a step of (epoch, its number, its items).
            todo: The steps of ``epoch``, where some are done already; None for all.
        """
        self._plan, self._window, self._make = plan, window, make
        self._given = epoch
        self._todo = deque(plan(epoch) if todo is None else todo)
        self._held: set[int] = set()
        self.enter(epoch, another=False)

    def enter(self, epoch: int, *, another: bool) -> None:
        """Begin to take the steps of ``epoch``, the first one or the next.

        Args:
            epoch: The epoch.
            another: Whether one more follows, whose steps may be begun early.
        """
        self.entered = epoch
        self._last = epoch + another
        self._held = set(self._window(epoch)) if another else set()

    def __next__(self) -> Made:
        """The next step, if it may be begun."""
        if not self._todo and self._given < self._last:
            self._given += 1
            self._todo.extend(self._plan(self._given))
        if not self._todo:
            raise StopIteration
        number, items = self._todo[0]
        if self._given > self.entered and not self._held.issuperset(items):
            raise StopIteration
        self._todo.popleft()
        return self._make(self._given, number, items)
