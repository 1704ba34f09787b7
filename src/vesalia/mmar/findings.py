"""What a check has found so far: everything is collected, and told at once at the end."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vesalia.errors import ConfigError, CustomCodeRefused, Fault, VesaliaError
from vesalia.mmar.places import Places
from vesalia.runtime.nearness import nearest

__all__ = ["Findings"]

Result = TypeVar("Result")


@dataclass(slots=True)
class Findings:
    """Faults and warnings of one config, in the order of finding.

    Attributes:
        file: The config as the user knows it.
        faults: What is wrong.
        warnings: What is odd and can be lived with.
        refusals: Custom code that was named and not allowed.
        unresolved: Key paths that hold a variable which is not set; their values are not judged further.
        dropped: Key paths of disabled components; what is wrong inside them does not matter.
        unreadable: Key paths of components that cannot be known; rules that need all of a chain leave it alone.
        meant: Key paths that a misspelt neighbour most probably means; they are not reported as missing as well.
        places: The user's key paths, where the config that is read is a translation of another.
        settled: How many faults and warnings name the user's key paths already.
    """

    file: str
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    refusals: list[Fault] = field(default_factory=list)
    unresolved: set[str] = field(default_factory=set)
    dropped: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    meant: set[str] = field(default_factory=set)
    places: Places = field(default_factory=Places)
    settled: tuple[int, int] = (0, 0)

    def settle(self, places: Places) -> None:
        """From here on a translation is read: what was found so far stays, what follows is told by the user's keys."""
        self.places = places
        self.settled = (len(self.faults), len(self.warnings))

    def fault(self, key: str, *, found: str, expected: str, write: str = "") -> None:
        """Something is wrong at ``key`` of the config."""
        self.faults.append(Fault(self.file, key, found, expected, write))

    def warn(self, key: str, *, found: str, expected: str, write: str = "") -> None:
        """Something is odd at ``key`` of the config."""
        self.warnings.append(Fault(self.file, key, found, expected, write))

    def attempt(self, read: Callable[[], Result]) -> Result | None:
        """Call ``read``; the faults of its error are kept, and None is given back."""
        try:
            return read()
        except ConfigError as error:
            self.faults.extend(error.faults)
            return None

    def is_unresolved(self, key: str) -> bool:
        """Whether a variable at or below ``key`` is not set."""
        return any(_is_below(place, key) for place in self.unresolved)

    def is_dropped(self, key: str) -> bool:
        """Whether ``key`` lies in a disabled component."""
        return any(_is_below(key, place) for place in self.dropped)

    def unknown_key(self, where: str, name: str, *, known: Collection[str], present: Mapping[str, Any]) -> None:
        """A key that nothing reads: a fault where it is a misspelt known one, a warning where it is not.

        A near known key that stands in the same object is not meant: then the unknown one is an extra of its own.
        """
        key = f"{where}.{name}" if where else name
        near = nearest(name, [entry for entry in known if entry not in present])
        if near is not None:
            self.meant.add(f"{where}.{near}" if where else near)
            if near == "train" or near.endswith("transforms"):
                self.unreadable.append(key)
            self.fault(
                key, found=f"the key {name}", expected="a key that is read here", write=f"{near} (did you mean this?)"
            )
        else:
            self.warn(key, found="a key that nothing reads", expected=f"one of {', '.join(sorted(known))}")

    def error(self) -> VesaliaError | None:
        """One error with all faults, or None where there are none."""
        known = self.settled[0]
        faults = [*self.faults[:known], *self.places.told(self.faults[known:])]
        refusals = self.places.told(self.refusals)
        if refusals and not faults:
            return CustomCodeRefused(faults=dict.fromkeys(refusals))
        everything = dict.fromkeys((*faults, *refusals))
        return ConfigError(faults=everything) if everything else None

    def told(self) -> tuple[Fault, ...]:
        """The warnings, each of them once."""
        known = self.settled[1]
        return tuple(dict.fromkeys([*self.warnings[:known], *self.places.told(self.warnings[known:])]))


def _is_below(key: str, ancestor: str) -> bool:
    return key == ancestor or key.startswith((f"{ancestor}.", f"{ancestor}["))
