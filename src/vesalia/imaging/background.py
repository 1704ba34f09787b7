"""Something that takes a moment to make, made in a thread while others go on without it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, final

__all__ = ["InBackground"]

Made = TypeVar("Made")


@final
class InBackground(Generic[Made]):
    """Begins to be made when it is first asked for.

    Args:
        make: Makes it; what it raises ends the thread, and there never is one.
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
                    self.thread.start()
        return self._made

    def _run(self) -> None:
        self._made = self._make()
