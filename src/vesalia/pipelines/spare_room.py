"""Where items go that the shared memory has no room for: files on disk, to which links in the shared folder lead."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from vesalia.errors import Fault, ResourceError
from vesalia.pipelines.item_file import Kept, write_item
from vesalia.runtime.machine import in_words
from vesalia.runtime.shared_folders import join, leave

__all__ = ["SpareRoom", "link"]


def link(target: Path | None, path: Path) -> bool:
    """Let ``path`` lead to a file that is there already; whether it does."""
    if target is None:
        return False
    try:
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    except OSError:  # a system, or a user, without links
        return False
    return True


class SpareRoom:
    """A folder of the session on disk, made when it is first needed."""

    def __init__(self, shared: Path) -> None:
        """Begin empty.

        Args:
            shared: The session's folder in shared memory.
        """
        self.folder = Path(tempfile.gettempdir()) / shared.name
        self._shared = shared
        self._refused = 0
        self._lock = threading.Lock()
        self._leave: Callable[[], object] | None = None

    def take(self, path: Path, kept: Kept, *, size: int, keep_free: float) -> bool:
        """Write an item to disk and let ``path`` lead there; whether there was room.

        Args:
            path: Where the item is looked for.
            kept: The item.
            size: Bytes of it.
            keep_free: Part of the disk that is left to others.
        """
        if self.folder == self._shared:
            return False
        try:
            self._join()
            disk = shutil.disk_usage(self.folder)
            if disk.free - size >= keep_free * disk.total:
                written = self.folder / path.name
                write_item(written, kept, durable=False)
                if link(written, path):
                    return True
                written.unlink(missing_ok=True)
        except (ResourceError, OSError):
            pass
        self._refused += 1
        return False

    def _join(self) -> None:
        with self._lock:
            if self._leave is None:
                self._leave = weakref.finalize(self, leave, self.folder, os.getpid())
                join(self.folder)

    def forget(self, path: Path) -> None:
        """Remove the file on disk, if there is one that ``path`` leads to."""
        with contextlib.suppress(OSError):
            target = path.readlink()
            if target.parent == self.folder:
                target.unlink(missing_ok=True)

    def _leads_here(self, path: Path) -> bool:
        with contextlib.suppress(OSError):  # no link, or another process has let go of it
            return path.readlink().parent == self.folder
        return False

    def close(self) -> None:
        """Leave the folder; it goes away with the last one."""
        leaving, self._leave = self._leave, None
        if leaving is not None:
            leaving()

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """That the shared memory had no room for some items, whichever process made them."""
        here = sum(self._leads_here(path) for path in self._shared.glob("*"))
        if not here and not self._refused:
            return ()
        memory = shutil.disk_usage(self._shared.parent)
        found = f"{in_words(memory.free)} of {in_words(memory.total)} free, so "
        found += f"{here} items are kept in {self.folder}" if here else "items are made each time they are used"
        write = "a larger one (docker run --shm-size=32g), or use --persist-cache"
        return (Fault(str(self._shared.parent), found=found, expected="room for all items", write=write),)
