"""Files that may be gzip-compressed, through igzip (ISA-L), several times faster than zlib."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from isal import igzip, igzip_lib, isal_zlib

from vesalia.errors import DataError, ResourceError
from vesalia.runtime.machine import shortage_in_words

__all__ = ["create", "read_all", "read_start"]

_MAGIC = b"\x1f\x8b"
_ISAL_ERROR = cast("type[Exception]", igzip_lib.error)  # its stub gives it no type
_UNREADABLE = (OSError, EOFError, zlib.error, _ISAL_ERROR)
_GZIP_WINDOW = 31  # zlib's number for data with a gzip header
_LENGTH_BYTES = 4
_SHRINKS_AT_MOST = 1100  # deflate's limit is 1032
_LEVEL = 2  # of 0 to 3; 3 is twice as slow and saves some percent


def read_start(path: Path, count: int) -> tuple[bytes, int | None]:
    """The first ``count`` bytes, decompressed, and the length of the file where it is not compressed.

    Raises:
        DataError: The file is missing, may not be read, or is damaged.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(count)
            if not start.startswith(_MAGIC):
                return start, path.stat().st_size
            stream.seek(0)
            with igzip.IGzipFile(fileobj=stream, mode="rb") as unpacked:  # type: ignore[no-untyped-call] # isal's
                return bytes(unpacked.read(count)), None
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error


def read_all(path: Path) -> bytes:
    """The whole file, decompressed, its checksum compared.

    Raises:
        DataError: The file is missing, may not be read, or is damaged.
        ResourceError: There is not enough memory.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_MAGIC):
            return _unpacked(content)
    except _UNREADABLE as error:
        raise _unreadable(path, error) from error
    except MemoryError as error:
        found = f"{path}: found too little memory to read it ({shortage_in_words(error, needed=_whole_bytes(path))})"
        raise ResourceError(f"{found}, expected room for the whole volume; use fewer workers") from error
    return content


def _whole_bytes(path: Path) -> int:
    """What the file and its content, decompressed, take."""
    with path.open("rb") as stream:
        packed = stream.read(len(_MAGIC)) == _MAGIC
        size = stream.seek(-_LENGTH_BYTES, os.SEEK_END) + _LENGTH_BYTES
        return size + int.from_bytes(stream.read(), "little") * packed


def _unpacked(content: bytes) -> bytes:
    """The content, in memory of the right size from the start: the file's last bytes say how long it is."""
    length = int.from_bytes(content[-_LENGTH_BYTES:], "little")
    if 0 < length <= len(content) * _SHRINKS_AT_MOST:
        whole = isal_zlib.decompressobj(_GZIP_WINDOW)
        unpacked = whole.decompress(content, length + 1)
        if whole.eof and not whole.unused_data:
            return bytes(unpacked)
    return bytes(igzip.decompress(content))  # type: ignore[no-untyped-call] # isal's; this file has several parts


@contextlib.contextmanager
def create(path: Path, *, compressed: bool) -> Iterator[io.IOBase]:
    """A stream that writes ``path``; the same content gives the same bytes, whatever the time and the name."""
    with path.open("wb") as stream:
        if not compressed:
            yield stream
            return
        packed = igzip.IGzipFile("", "wb", _LEVEL, fileobj=stream, mtime=0)  # type: ignore[no-untyped-call] # isal's
        with packed:
            yield packed


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: found no such file, expected an image; write the right path in the data list")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: found a folder, expected an image; write the path of a file")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: found a file that may not be read, expected leave to read it; write chmod +r")
    found, write = f"damaged gzip data ({error})", "a fresh copy of the file"
    return DataError(f"{path}: found {found}, expected a whole .nii.gz; write {write}")
