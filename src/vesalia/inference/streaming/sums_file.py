"""A temporary file of places of several sizes; what leaves memory is written beside other work."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vesalia.errors import ResourceError
from vesalia.runtime.files import as_resource_error

__all__ = ["SumsFile"]


class SumsFile:
    """Is made when something is written, has no name, and is gone when it is closed or the process ends.

    Attributes:
        written_bytes: What was written in all.
    """

    def __init__(self) -> None:
        self.written_bytes = 0
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._writer: ThreadPoolExecutor | None = None
        self._free: dict[int, list[int]] = {}
        self._end = 0

    def write(self, values: npt.NDArray[Any]) -> tuple[int, Future[None]]:
        """Begin to write an array; gives its place, and what tells when its memory may be used again."""
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, thread_name_prefix="vesalia-sums")
        free = self._free.setdefault(values.nbytes, [])
        place = free.pop() if free else self._end
        self._end = max(self._end, place + values.nbytes)
        self.written_bytes += values.nbytes
        return place, self._writer.submit(self._write, place, values)

    def read(self, place: int, values: npt.NDArray[Any]) -> None:
        """Read into an array what was written at a place, which is free then.

        Raises:
            ResourceError: The file cannot be read.
        """
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.seek(place)
                count = self._file.readinto(_memory(values))  # type: ignore[attr-defined] # an unbuffered file has it
            except OSError as error:
                raise as_resource_error(_folder(), error) from error
        if count != values.nbytes:
            message = f"{_folder()}: found {count} bytes in a temporary file, expected {values.nbytes}"
            raise ResourceError(f"{message}; run it again")
        self._free[values.nbytes].append(place)

    def close(self) -> None:
        """Forget everything."""
        if self._writer is not None:
            self._writer.shutdown(wait=True, cancel_futures=True)
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None

    def _write(self, place: int, values: npt.NDArray[Any]) -> None:
        with self._lock:
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(prefix="vesalia-sums-", buffering=0)  # noqa: SIM115 - see close
                self._file.seek(place)
                memory = _memory(values)
                while len(memory):  # an unbuffered file may take a part
                    memory = memory[self._file.write(memory) :]
            except OSError as error:
                raise as_resource_error(_folder(), error) from error


def _memory(values: npt.NDArray[Any]) -> memoryview:
    flat: npt.NDArray[np.uint8] = values.reshape(-1).view(np.uint8)
    return flat.data


def _folder() -> Path:
    return Path(tempfile.gettempdir())
