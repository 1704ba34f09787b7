"""The temporary file: what is written comes back, places are used again, a full disk is told."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
from typing import Any

import numpy as np
import pytest

from vesalia.errors import ResourceError
from vesalia.inference.streaming.sums_file import SumsFile


def block(value: float, count: int = 6) -> np.ndarray[Any, Any]:
    return np.full((2, count // 2), value, dtype=np.float32)


def test_what_is_written_comes_back_and_its_place_is_free() -> None:
    file = SumsFile()
    written = [file.write(block(value)) for value in (1, 2)]
    assert [place for place, _ in written] == [0, 24]
    for place, done in written:
        done.result()
        found = block(0)
        file.read(place, found)
        assert float(found[0, 0]) == 1 + place / 24
    assert file.write(block(3))[0] == 24
    assert file.write(block(4, count=10))[0] == 48
    assert file.written_bytes == 3 * 24 + 40
    file.close()


def test_a_file_that_was_not_made_is_closed_without_a_word() -> None:
    file = SumsFile()
    file.close()
    assert file.written_bytes == 0


class Broken:
    """A file on a disk that is full, or was cut."""

    def seek(self, place: int) -> None:
        """Go there."""

    def write(self, memory: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def readinto(self, memory: memoryview) -> int:
        return 5

    def close(self) -> None:
        """Done."""


def test_a_full_disk_and_a_file_that_was_cut_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Broken())
    file = SumsFile()
    place, done = file.write(block(1))
    with pytest.raises(ResourceError, match="found no space left"):
        done.result()
    with pytest.raises(ResourceError, match="found 5 bytes in a temporary"):
        file.read(place, block(0))
    file.close()


def test_a_file_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreadable(Broken):
        def write(self, memory: memoryview) -> int:
            return len(memory)

        def readinto(self, memory: memoryview) -> int:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Unreadable())
    file = SumsFile()
    place, done = file.write(block(1))
    done.result()
    with pytest.raises(ResourceError, match="Input/output error"):
        file.read(place, block(0))
    file.close()
