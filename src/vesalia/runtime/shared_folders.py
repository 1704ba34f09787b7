"""Folders in memory that processes of one user share: gone with the last of them, or with the next who looks.

A folder lives as long as one of its members does; each has signed with a file. What processes that were killed leave
is memory that nobody uses: whoever starts next, or examines the machine, removes it.

Containers may share memory, and machines a disk, without seeing each other's processes. Who cannot tell whether a
process lives must not remove its folder: folders say in their names where their processes can be seen.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from vesalia.runtime.files import as_resource_error

__all__ = ["folder_of", "join", "leave", "lives", "remove_leftovers", "this_process"]

_FOLDER = "vesalia-items-"
_MEMBER = "member-"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - files in it have a folder of the user's own
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")
_SAME_START_S = 5.0  # two processes may not agree on when the machine was started
_SIGNED_WITHIN_S = 60.0
"""A folder that nobody has signed for so long was made by a process that was killed before it could."""


def folder_of(session: str) -> Path:
    """Where processes of this user that see each other and say the same session meet."""
    return _base() / f"{_FOLDER}{_user()}-{_sight()}-{session}"


def join(folder: Path) -> None:
    """Make this process a member of a folder; the first to come makes it.

    Raises:
        ResourceError: The folder cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        unsigned = folder / f".{os.getpid()}"  # who finds an empty member takes it for dead
        unsigned.write_text(this_process())
        unsigned.replace(folder / f"{_MEMBER}{os.getpid()}")
    except OSError as error:
        raise as_resource_error(folder, error) from error


def leave(folder: Path, process: int) -> None:
    """Take this process out of a folder, and the folder away with the last one."""
    if os.getpid() != process:  # a fork, which holds nothing
        return
    with contextlib.suppress(OSError):
        (folder / f"{_MEMBER}{process}").unlink(missing_ok=True)
    if not any(lives(_read(member)) for member in folder.glob(f"{_MEMBER}*")):
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> dict[Path, int]:
    """Remove the folders of this user's processes that were killed; what was removed, and the bytes it took.

    Those of other containers and machines stay, as nothing can be said of their processes from here.
    """
    removed: dict[Path, int] = {}
    bases = {_base(), Path(tempfile.gettempdir())}  # what has no room in memory is on disk
    for folder in (folder for base in bases for folder in base.glob(f"{_FOLDER}{_user()}-{_sight()}-*")):
        if _is_dead(folder):
            size = _bytes_in(folder)
            shutil.rmtree(folder, ignore_errors=True)
            removed |= {} if folder.exists() else {folder: size}
    return removed


def this_process() -> str:
    """This process, so that another one that gets its number later is not taken for it."""
    return json.dumps([os.getpid(), psutil.Process().create_time()])


def lives(said: str) -> bool:
    """Whether the process that wrote :func:`this_process` is there."""
    try:
        number, since = json.loads(said)
        return bool(abs(psutil.Process(number).create_time() - since) < _SAME_START_S)
    except (ValueError, TypeError, psutil.Error):
        return False


def _is_dead(folder: Path) -> bool:
    members = list(folder.glob(f"{_MEMBER}*"))
    if members:
        return not any(lives(_read(member)) for member in members)
    with contextlib.suppress(OSError):
        return time.time() - folder.stat().st_mtime > _SIGNED_WITHIN_S
    return False


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.glob("*"):
        with contextlib.suppress(OSError):
            total += file.lstat().st_size
    return total


def _base() -> Path:
    return _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _sight() -> str:
    """In short, the machine since it was started, and the container: whose processes this one can see."""
    seen = [_read(_BOOT) or platform.node()]
    with contextlib.suppress(OSError):
        seen.append(str(_NAMESPACE.readlink()))
    return hashlib.blake2b("\n".join(seen).encode(), digest_size=6).hexdigest()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
