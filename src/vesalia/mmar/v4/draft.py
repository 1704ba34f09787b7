"""A translation in the making: what was found on the way, and where each part came from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from vesalia.errors import Fault
from vesalia.mmar.places import Places
from vesalia.registry.kinds import Mismatch, coerce, shown
from vesalia.runtime.nearness import nearest

__all__ = ["Draft"]


@dataclass(slots=True)
class Draft:
    """What a translation has found so far.

    Attributes:
        file: The config as the user knows it.
        faults: What cannot be translated, by the user's key paths.
        notes: What became what.
        places: The user's key path for each of the new config's.
        off: Names and aliases of components that are switched off.
    """

    file: str
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    places: Places = field(default_factory=Places)
    off: set[str] = field(default_factory=set)

    def fault(self, key: str, *, found: str, expected: str, write: str = "") -> None:
        """Something at ``key`` of the user's config cannot be used."""
        self.faults.append(Fault(self.file, key, found, expected, write))

    def note(self, said: str, became: str) -> None:
        """What the user wrote (its key path, and a name if it has one) became something else."""
        self.notes.append(f"{said} -> {became}")

    def unknown(self, key: str, name: str, *, known: Collection[str], what: str) -> None:
        """A name that is not known at ``key``."""
        near = nearest(name, known)
        write = f"{shown(near)} (did you mean this?)" if near else 'another, or "disabled": true beside it'
        self.fault(key, found=shown(name), expected=what, write=write)

    def value(self, data: Mapping[str, Any], name: str, *, kind: str, key: str, default: Any = None) -> Any:
        """A typed value; the default where it is missing, and where it is wrong (which is reported)."""
        if name not in data:
            return default
        found = coerce(data[name], kind)
        if isinstance(found, Mismatch):
            self.fault(f"{key}.{name}", found=shown(data[name]), expected=found.expected, write=found.write)
            return default
        return found
