"""What waits for its next window: in memory as far as it is granted, and in a temporary file beyond that."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final

from vesalia.inference.streaming.arrays import Arrays
from vesalia.inference.streaming.sums_file import SumsFile

__all__ = ["Shelf"]

_SHARE_ON_THE_WAY: Final = 0.25
"""Of the memory granted, what may be on its way to the file."""

_SPARE_BYTES: Final = 64_000_000
"""Memory that is kept for what comes next, at most."""

_Shape = tuple[int, ...]


@dataclass(slots=True)
class _Leaving:
    """What is being written."""

    place: int
    values: Any
    written: Future[None]


@dataclass(slots=True)
class Shelf:
    """Arrays by key. Those that are needed last go to the file first; which these are is known beforehand.

    Attributes:
        arrays: Makes room for them.
        budget_bytes: What they may take of the memory together; those in use at the moment may exceed it.
        file: Takes those that exceed it.
        taken_bytes: What they take of the memory now, and what is kept for the next.
    """

    arrays: Arrays
    budget_bytes: int
    file: SumsFile = field(default_factory=SumsFile)
    taken_bytes: int = 0
    _held: dict[Hashable, Any] = field(default_factory=dict)
    _due: dict[Hashable, int] = field(default_factory=dict)
    _away: dict[Hashable, tuple[int, _Shape]] = field(default_factory=dict)
    _leaving: dict[Hashable, _Leaving] = field(default_factory=dict)
    _spare: dict[_Shape, list[Any]] = field(default_factory=dict)
    _spare_bytes: int = 0
    _leaving_bytes: int = 0

    def new(self, key: Hashable, shape: Sequence[int]) -> Any:
        """Room for ``[C, *spatial]``, in use until :meth:`rest`; asked for again, the same."""
        return self._held[key] if key in self._held else self._hold(key, tuple(shape))

    def use(self, key: Hashable) -> Any:
        """What was put there, in use until :meth:`rest` or :meth:`drop`."""
        self._due.pop(key, None)
        if key in self._held:
            return self._held[key]
        if key in self._leaving:
            self._settle(key)
        place, shape = self._away.pop(key)
        values = self._hold(key, shape)
        self.file.read(place, self.arrays.plain(values))
        return values

    def rest(self, key: Hashable, due: int) -> None:
        """It is not needed before the window of rank ``due``."""
        self._due[key] = due

    def drop(self, key: Hashable) -> None:
        """It is not needed any more; its memory is for the next one: fresh memory is slower."""
        self._put_by(self._held.pop(key))

    def move(self, arrays: Arrays) -> None:
        """Bring everything to other memory."""
        self._spare.clear()
        self._spare_bytes = 0
        for key, values in self._held.items():
            moved = arrays.empty(len(values), tuple(values.shape[1:]))
            moved[...] = arrays.given(self.arrays.plain(values))
            self._held[key] = moved
        self.taken_bytes = sum(map(_bytes, self._held.values()))
        self.arrays = arrays

    def close(self) -> None:
        """Forget everything."""
        self.file.close()
        self._spare.clear()
        self._held.clear()

    def _hold(self, key: Hashable, shape: _Shape) -> Any:
        if self.arrays.on_machine:
            self._make_room(4 * prod(shape), shape)
        if self._spare.get(shape):
            values = self._spare[shape].pop()
            self._spare_bytes -= _bytes(values)
            if not self._spare[shape]:
                del self._spare[shape]
        else:
            values = self.arrays.empty(shape[0], shape[1:])
            self.taken_bytes += _bytes(values)
        self._held[key] = values
        return values

    def _make_room(self, wanted: int, shape: _Shape) -> None:
        """Until there is room, or a spare of the same shape, or nothing more can go."""
        while self.taken_bytes + wanted > self.budget_bytes and not self._spare.get(shape):
            if self._spare_bytes:
                self._let_go()
            elif self._due:
                self._send_away(max(self._due, key=lambda key: self._due[key]))
            elif self._leaving:
                self._settle(next(iter(self._leaving)))
            else:
                return
            while self._leaving_bytes > _SHARE_ON_THE_WAY * self.budget_bytes:
                self._settle(next(iter(self._leaving)))

    def _send_away(self, key: Hashable) -> None:
        del self._due[key]
        values = self._held.pop(key)
        self._leaving[key] = _Leaving(*self._written(values))
        self._leaving_bytes += _bytes(values)

    def _written(self, values: Any) -> tuple[int, Any, Future[None]]:
        place, written = self.file.write(self.arrays.plain(values))
        return place, values, written

    def _settle(self, key: Hashable) -> None:
        """Wait until it is written, and have its memory again."""
        leaving = self._leaving.pop(key)
        leaving.written.result()
        self._leaving_bytes -= _bytes(leaving.values)
        self._away[key] = (leaving.place, tuple(leaving.values.shape))
        self._put_by(leaving.values)

    def _put_by(self, values: Any) -> None:
        self._spare.setdefault(tuple(values.shape), []).append(values)
        self._spare_bytes += _bytes(values)
        while self._spare_bytes > _SPARE_BYTES:
            self._let_go()

    def _let_go(self) -> None:
        """Give memory back: the shape that has been lying longest first."""
        shape = next(iter(self._spare))
        size = _bytes(self._spare[shape].pop())
        if not self._spare[shape]:
            del self._spare[shape]
        self._spare_bytes -= size
        self.taken_bytes -= size


def _bytes(values: Any) -> int:
    return 4 * int(prod(values.shape))
