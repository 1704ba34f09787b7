"""Key paths of a config that was translated, by the key paths of the text that the user wrote."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from vesalia.errors import Fault

__all__ = ["Places"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where in the user's text each part of the config comes from; empty where nothing was translated."""

    theirs: dict[str, str] = field(default_factory=dict)

    def put(self, ours: str, theirs: str) -> None:
        """What stands at ``ours`` in the config, and all below it, comes from ``theirs``."""
        self.theirs[ours] = theirs

    def of(self, key: str) -> str:
        """The user's key path for one of ours; the longest part that is known decides."""
        head = key
        while head:
            if head in self.theirs:
                return self.theirs[head] + key[len(head) :]
            head = head[: max(head.rfind("."), head.rfind("["), 0)]
        return key

    def told(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults with the user's key paths."""
        return [replace(fault, key=self.of(fault.key)) for fault in faults]
