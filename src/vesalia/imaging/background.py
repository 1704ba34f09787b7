"""Something that takes a moment to make: made once whoever asks, or in a thread while others go on without it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar, final

__all__ = ["InBackground", "Once"]

Made = TypeVar("Made")
_LOG = logging.getLogger(__name__)


@final
class Once(Generic[Made]):
    """What ``make`` gives at the first call, also where several threads ask at the same time; to decorate with."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[Made] = []

    def __call__(self) -> Made:
        """It; whoever asks while it is being made waits."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def forget(self) -> None:
        """Have it made anew when it is asked for again."""
        with self._lock:
            self._made.clear()


@final
class InBackground(Generic[Made]):
    """Begins to be made when it is first asked for.

    Args:
        make: Makes it. Where it fails there never is one, and one warning says so.

    Attributes:
        thread: Makes it; None while nobody has asked.
    """

    def __init__(self, make: Callable[[], Made]) -> None:
        self.thread: threading.Thread | None = None
        self._make = make
        self._made: Made | None = None
        self._lock = threading.Lock()

    def get(self) -> Made | None:
        """It, or None while it is being made."""
        if self._made is None and self.thread is None:
            with self._lock:
                if self.thread is None:  # an exit waits for the thread: a second or so
                    self.thread = threading.Thread(target=self._run, name="vesalia-compile")
                    with contextlib.suppress(RuntimeError):  # no more threads: then there never is one
                        self.thread.start()
        return self._made

    def _run(self) -> None:
        try:
            self._made = self._make()
        except Exception as error:  # noqa: BLE001 - a compiler's; others go on without what it makes
            _LOG.warning("found that Numba cannot compile (%s: %s): going on without", type(error).__name__, error)
