"""Folders that are whole or not there: made beside, then renamed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from vesalia.errors import ResourceError, UserError

__all__ = ["refuse_occupied", "whole_folder"]

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a draft folder beside ``folder``; on success it becomes ``folder``, on failure it vanishes.

    Raises:
        UserError: ``folder`` is a file, or holds something already.
        ResourceError: The disk is full, or the place cannot be written.
    """
    folder = Path(folder).absolute()
    refuse_occupied(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    except OSError as error:
        raise _explained(folder, error) from error
    draft = beside / folder.name
    try:
        draft.mkdir()
        yield draft
        refuse_occupied(folder)
        draft.replace(folder)
    except OSError as error:
        if isinstance(error, UserError):
            raise
        raise _explained(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refuse_occupied(folder: Path) -> None:
    """Refuse a place where something is already.

    Raises:
        UserError: ``folder`` is a file or a link, or holds something.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        message = f"{folder}: found something that is no folder, expected nothing; write the name of a new folder"
        raise UserError(message)
    if folder.is_dir() and (inside := sorted(path.name for path in folder.iterdir())):
        shown = ", ".join(inside[:3]) + (" and more" if len(inside) > 3 else "")
        message = (
            f"{folder}: found a folder that holds {shown}, expected a new or empty folder; "
            "write another name, or move what is there away first"
        )
        raise UserError(message)


def _explained(folder: Path, error: OSError) -> OSError:
    if error.errno in _DISK_FULL:
        message = f"{folder}: found no space left on the disk, expected room for the folder; free some and start again"
        return ResourceError(message)
    if error.errno in _NOT_ALLOWED:
        found = f"that it cannot be written ({error.strerror})"
        message = f"{folder}: found {found}, expected a writable place; write another"
        return ResourceError(message)
    return error
