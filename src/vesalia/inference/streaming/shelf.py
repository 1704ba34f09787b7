"""Sums that wait for their next window: in memory as far as it is granted, and on disk beyond that."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tempfile
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from vesalia.errors import ResourceError
from vesalia.inference.streaming.arrays import Arrays
from vesalia.runtime.files import as_resource_error

__all__ = ["Shelf"]


@dataclass(slots=True)
class Shelf:
    """Sums by key. Those that are needed last go to a temporary file first; which these are is known beforehand.

    Attributes:
        arrays: Makes room for them.
        channels: Channels of each.
        budget_bytes: What they may take of the memory together; those in use at the moment may exceed it.
        written_bytes: What went to disk in all.
    """

    arrays: Arrays
    channels: int
    budget_bytes: int
    written_bytes: int = 0
    _held: dict[Hashable, Any] = field(default_factory=dict)
    _due: dict[Hashable, int] = field(default_factory=dict)
    _away: dict[Hashable, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    _free: dict[int, list[int]] = field(default_factory=dict)
    _file: IO[bytes] | None = None
    _end: int = 0
    _held_bytes: int = 0

    def new(self, key: Hashable, shape: Sequence[int]) -> Any:
        """Room for a sum, in use until :meth:`rest`; asked for again, the same."""
        if key in self._held:
            return self._held[key]
        self._make_room(4 * self.channels * int(np.prod(shape)))
        return self._hold(key, shape)

    def use(self, key: Hashable) -> Any:
        """A sum that was begun, in use until :meth:`rest` or :meth:`drop`."""
        self._due.pop(key, None)
        if key in self._held:
            return self._held[key]
        place, shape = self._away.pop(key)
        self._make_room(4 * self.channels * int(np.prod(shape)))
        values = self._hold(key, shape)
        self._read(place, values)
        return values

    def rest(self, key: Hashable, due: int) -> None:
        """A sum is not needed before the window of rank ``due``."""
        self._due[key] = due

    def drop(self, key: Hashable) -> None:
        """A sum is not needed any more."""
        self._held_bytes -= _bytes(self._held.pop(key))
        self._due.pop(key, None)

    def move(self, arrays: Arrays) -> None:
        """Bring all sums to other memory."""
        for key, values in self._held.items():
            moved = arrays.empty(self.channels, tuple(values.shape[1:]))
            moved[...] = arrays.given(self.arrays.plain(values))
            self._held[key] = moved
        self.arrays = arrays

    def close(self) -> None:
        """Forget everything."""
        self._held.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _hold(self, key: Hashable, shape: Sequence[int]) -> Any:
        values = self.arrays.empty(self.channels, tuple(shape))
        self._held[key] = values
        self._held_bytes += _bytes(values)
        return values

    def _make_room(self, wanted: int) -> None:
        while self._held_bytes + wanted > self.budget_bytes and self._due and self.arrays.on_machine:
            key = max(self._due, key=lambda one: self._due[one])
            del self._due[key]
            self._write(key, self._held.pop(key))

    def _write(self, key: Hashable, values: Any) -> None:
        size = _bytes(values)
        self._held_bytes -= size
        free = self._free.setdefault(size, [])
        place = free.pop() if free else self._end
        self._end = max(self._end, place + size)
        try:
            file = self._opened()
            file.seek(place)
            file.write(_in_memory_order(self.arrays.plain(values)))
        except OSError as error:
            raise self._refused(error) from error
        self._away[key] = (place, tuple(values.shape[1:]))
        self.written_bytes += size

    def _read(self, place: int, values: Any) -> None:
        size = _bytes(values)
        file = self._opened()
        file.seek(place)
        if file.readinto(_in_memory_order(self.arrays.plain(values))) != size:  # type: ignore[attr-defined] # unbuffered
            message = (
                f"{tempfile.gettempdir()}: found a temporary file that became shorter, expected {size} bytes of it"
            )
            raise ResourceError(f"{message}; run it again")
        self._free[size].append(place)

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="vesalia-sums-", buffering=0)  # noqa: SIM115 - closed by close
        return self._file

    def _refused(self, error: OSError) -> ResourceError:
        return as_resource_error(Path(tempfile.gettempdir()), error)


def _bytes(values: Any) -> int:
    return 4 * int(np.prod(values.shape))


def _in_memory_order(values: Any) -> memoryview:
    """The memory of an array whose axes may be in another order than its memory, such as channels last."""
    dense = values if values.flags.c_contiguous else np.moveaxis(values, 0, -1)
    return memoryview(dense.reshape(-1)).cast("B")
