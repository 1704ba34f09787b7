"""Where time goes: stages of the work, timed in the thread of whoever watches; unwatched, they cost next to nothing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import final

__all__ = ["Spent", "Stopwatch", "stage"]


@dataclass(slots=True)
class Spent:
    """What a stage took.

    Attributes:
        seconds: Time in it, without that of stages inside it.
        calls: How often it was entered.
    """

    seconds: float = 0.0
    calls: int = 0


@final
class Stopwatch:
    """Times stages. Inside ``with watch:`` every :func:`stage` of this thread is added up; other threads are not seen.

    Attributes:
        spent: By path (the names of the stages around a stage, and its own) what it took.
    """

    def __init__(self, wait_for_device: Callable[[], None] | None = None) -> None:
        """Begin at 0.

        Args:
            wait_for_device: Called before each look at the clock: a GPU is still at work when a call returns.
        """
        self.spent: dict[tuple[str, ...], Spent] = {}
        self._path: tuple[str, ...] = ()
        self._inside = 0.0
        self._wait_for_device = wait_for_device or (lambda: None)
        self._before: list[Stopwatch | None] = []

    def __enter__(self) -> Stopwatch:
        self._before.append(_watching.get())
        _watching.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _watching.set(self._before.pop())

    def clear(self) -> None:
        """Forget what was added up."""
        self.spent.clear()

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Add what happens inside to ``name``."""
        around, outer = self._path, self._inside
        self._path, self._inside = (*around, name), 0.0
        began = self._now()
        try:
            yield
        finally:
            took = self._now() - began
            entry = self.spent.setdefault(self._path, Spent())
            entry.seconds += took - self._inside
            entry.calls += 1
            self._path, self._inside = around, outer + took

    def _now(self) -> float:
        self._wait_for_device()
        return time.perf_counter()


_watching: ContextVar[Stopwatch | None] = ContextVar("watching", default=None)
_UNWATCHED = nullcontext()


def stage(name: str) -> AbstractContextManager[None]:
    """A stage of the work, timed if somebody watches this thread.

    Args:
        name: What it is called.
    """
    watch = _watching.get()
    return _UNWATCHED if watch is None else watch.time(name)
