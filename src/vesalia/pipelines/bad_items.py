"""Items that cannot be used in the middle of a run: the run stops, or the next item takes their place."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Literal

from vesalia.errors import DataError

__all__ = ["BadItemAction", "BadItems"]

BadItemAction = Literal["stop", "skip"]


def _unheard(message: str) -> None:
    """Nobody listens."""


class BadItems:
    """What is known of items that cannot be used.

    Any thread may report; who waits for batches tells the user, once per item.

    Attributes:
        skips: Whether a run goes on without them.
    """

    def __init__(self, action: BadItemAction = "stop", say: Callable[[str], None] = _unheard) -> None:
        """Begin with none.

        Args:
            action: ``stop`` ends the run at the first, ``skip`` goes on without them.
            say: Tells the user.
        """
        self.skips = action == "skip"
        self._say = say
        self._known: dict[int, DataError] = {}
        self._untold: list[str] = []
        self._lock = threading.Lock()

    def report(self, index: int, error: DataError) -> None:
        """An item cannot be used."""
        with self._lock:
            if index not in self._known:
                self._known[index] = error
                self._untold.append(f"{error}; it is left out (on_bad_item: skip)")

    def error(self, index: int) -> DataError | None:
        """Why an item cannot be used; None where nothing is known against it."""
        return self._known.get(index)

    def tell(self) -> None:
        """Tell the user what was not told yet."""
        with self._lock:
            untold, self._untold = self._untold, []
        for message in untold:
            self._say(message)

    @property
    def messages(self) -> tuple[str, ...]:
        """What is known, in the list's order."""
        return tuple(str(self._known[index]) for index in sorted(self._known))

    def replacement(self, index: int, order: Sequence[int]) -> int:
        """What takes the place of ``index``: the next item of the epoch's order, around its end, that can be used.

        Raises:
            DataError: No item can be used.
        """
        place = order.index(index)
        others = (other for other in (*order[place + 1 :], *order[:place]) if other not in self._known)
        found = next(others, None)
        if found is None:
            message = f"found {len(self._known)} items that cannot be used and no other; the first: {self.messages[0]}"
            raise DataError(message)
        return found
