"""Files that are whole or not there: write beside, flush to disk, rename."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vesalia.errors import ResourceError

__all__ = [
    "UNFINISHED",
    "append_text",
    "as_resource_error",
    "atomic_path",
    "is_plain_name",
    "require_writable",
    "write_bytes",
    "write_json",
    "write_text",
]

_PREFIX = ".writing-"
UNFINISHED = f"{_PREFIX}*"
"""Names of files in work; those that a kill leaves behind, too."""
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


def is_plain_name(name: str) -> bool:
    """Whether ``name`` is a single part of a path, so that a file or folder of that name lies where it is put."""
    return bool(name.strip(". ")) and not any(sign in name for sign in "/\\\0\n")


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it becomes ``path``, on failure it vanishes.

    The temporary name keeps all suffixes, so that writers which look at them (``.nii.gz``) work.

    Raises:
        ResourceError: The disk is full, or the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix="".join(path.suffixes[-2:]), dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise as_resource_error(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, ResourceError) or error.errno not in {*_NO_SPACE, errno.EACCES, errno.EROFS, errno.EISDIR}:
            raise
        raise as_resource_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def as_resource_error(path: Path, error: OSError) -> ResourceError:
    """What the user is told when ``path`` could not be written."""
    if error.errno in _NO_SPACE:
        return ResourceError(
            f"{path}: found no space left on the disk, expected room for the file; free some and go on"
        )
    return ResourceError(f"{path}: found that it cannot be written ({error.strerror}), expected a writable folder")


def require_writable(folder: Path) -> None:
    """Make ``folder``, and find out before hours of work whether it takes files.

    Raises:
        ResourceError: It cannot be made or written, or the disk is full.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise as_resource_error(folder, error) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` at once."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 ``text`` to ``path`` at once."""
    write_bytes(path, text.encode())


def append_text(path: Path, text: str) -> None:
    """Append UTF-8 ``text`` to ``path``; what was there before stays whole.

    Raises:
        ResourceError: The disk is full, or the file cannot be written.
    """
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise as_resource_error(path, error) from error


def write_json(path: Path, data: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write ``data`` as indented JSON to ``path`` at once; what JSON does not know is written as text."""
    write_text(path, json.dumps(data, indent=2, default=str) + "\n")
