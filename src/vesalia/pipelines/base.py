"""What a source of items is: samples after the deterministic part of the chain, computed or kept."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from vesalia.errors import Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.plan import CachePlan

__all__ = ["ItemSource", "Progress"]

Progress = Callable[[int, int], None]
"""Told of (items done, items in all) while a cache fills."""


class ItemSource(ABC):
    """Gives the items of an epoch, each ready for the random part of the chain.

    Items are numbered by their place in the data list. A given sample is shared: nobody changes it in place.
    One thread asks for epochs and moves the source on; any number of threads may call :meth:`get` meanwhile.
    """

    @abstractmethod
    def window(self, epoch: int) -> Sequence[int]:
        """The numbers of the items that ``epoch`` uses, each once, in an order that is the same on every call."""

    @abstractmethod
    def get(self, index: int) -> Sample:
        """Item ``index`` of the current window."""

    @property
    @abstractmethod
    def warnings(self) -> tuple[Fault, ...]:
        """What was noticed in the items so far, in the list's order, without being an error."""

    @property
    def plan(self) -> CachePlan | None:
        """What is kept of the current window; None where nothing is kept."""
        return None

    def move_to(self, epoch: int, progress: Progress | None = None) -> None:
        """Make the window of ``epoch`` ready, blocking; nothing to do where it is, or where nothing is kept."""

    def begin(self, epoch: int) -> None:
        """Be told that ``epoch`` starts, so that what the next one needs can be prepared beside it."""

    def close(self) -> None:
        """Stop all threads and let go of all items; may be called at any time, and again."""
