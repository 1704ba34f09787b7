"""Items in files that several processes map: one copy for all ranks of a machine, or one that outlives the run.

Processes agree through the folder alone. Who makes an item first claims it, with a file that names its process; who
finds the claim of a process that is gone takes it over. A file of an item appears whole or not at all. Who maps an item
that is shared marks it, and the last one to let go of it removes it: what is mapped is counted, by all.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from vesalia.errors import DataError, Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.item_file import Kept, read_item, write_item
from vesalia.pipelines.spare_room import SpareRoom, link
from vesalia.pipelines.store import Store, sample_bytes
from vesalia.runtime.files import as_resource_error
from vesalia.runtime.shared_folders import folder_of, join, leave, lives, this_process

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment] # asked for below

__all__ = ["FileStore", "SharedStore"]

_ITEM, _CLAIM, _LEFT, _MAPPED = ".safetensors", ".claim", ".left", ".mapped-"
_SIGNED_WITHIN_S = 5.0
_STORES = itertools.count()
_KEEP_FREE = 0.1
"""Part of the shared memory, or of the disk, that is left to others."""


class FileStore(Store):
    """Items in the files of a folder, mapped when they are first asked for."""

    def __init__(self, folder: Path, items: Sequence[DataItem], *, durable: bool, limit: int | None = None) -> None:
        """Take the folder, which is there.

        Args:
            folder: Where files are.
            items: The data list's items.
            durable: Whether files must outlive a power cut.
            limit: Bytes of all files at most.
        """
        self.folder, self.limit, self.place = folder, limit, str(folder)
        self._items, self._durable = items, durable
        self._held: dict[int, Sample] = {}
        self._sizes: dict[int, int] = {}
        self._lock, self._writing = threading.Lock(), threading.Lock()

    def name(self, index: int) -> str:
        """What the files of an item are called, without their ends."""
        return str(index)

    @property
    def held_bytes(self) -> int:
        """What all items together take."""
        return sum(self._sizes.values())

    @property
    def held(self) -> frozenset[int]:
        """The items that this process maps."""
        return frozenset(self._held)

    def get(self, index: int) -> Sample | None:
        """An item, None where this process has not put or found it."""
        return self._held.get(index)

    def find(self, index: int) -> Kept | None:
        """An item whose file is there, whoever made it."""
        path = self._path(index, _ITEM)
        kept = read_item(path, self._items[index])
        if kept is None:
            return None
        with self._lock:
            self._held[index] = kept.sample
            self._sizes[index] = path.stat().st_size if path.exists() else 0
        return kept

    def put(self, index: int, kept: Kept) -> bool:
        """Write an item and map it, unless it does not fit any more."""
        try:
            with self._alone():
                if not self._write(index, kept):
                    return False
        except OSError:  # another program took the room meanwhile, or removed the folder
            return False
        return self.find(index) is not None

    def keep_only(self, indices: Collection[int]) -> None:
        """Let go of all other items; their files stay."""
        with self._lock:
            self._held = {index: sample for index, sample in self._held.items() if index in indices}
            self._sizes = {index: size for index, size in self._sizes.items() if index in indices}

    def close(self) -> None:
        """Let go of all items; their files stay."""
        self.keep_only(())

    def claims(self, index: int) -> bool:
        """Whether nobody else who lives is making the item."""
        claim = self._path(index, _CLAIM)
        own = this_process()
        try:
            with claim.open("x") as stream:
                stream.write(own)
        except FileExistsError:
            if self.awaited(index):
                return False
            with contextlib.suppress(OSError):
                claim.write_text(own)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:  # without room for a claim, two may make it
                raise as_resource_error(claim, error) from error
        return True

    def awaited(self, index: int) -> bool:
        """Whether another process, which lives, is making the item."""
        if self._path(index, _LEFT).exists() or self._path(index, _ITEM).exists():
            return False
        try:
            said = self._path(index, _CLAIM).read_text()
        except OSError:
            return False
        if not said:  # made a moment ago and not yet signed, unless its maker was killed in between
            with contextlib.suppress(OSError):
                return time.time() - self._path(index, _CLAIM).stat().st_mtime < _SIGNED_WITHIN_S
            return False
        return said != this_process() and lives(said)

    def release(self, index: int) -> None:
        """Say that this process does not make the item any more."""
        with contextlib.suppress(OSError, DataError):
            self._path(index, _CLAIM).unlink(missing_ok=True)

    def _write(self, index: int, kept: Kept) -> bool:
        if not self._fits(kept):
            return False
        write_item(self._path(index, _ITEM), kept, durable=self._durable)
        return True

    def _path(self, index: int, end: str) -> Path:
        return self.folder / (self.name(index) + end)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Where there is a limit, one process and thread at a time writes, so that it holds."""
        if self.limit is None or fcntl is None:
            yield
            return
        with self._writing, (self.folder / "writing.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _fits(self, kept: Kept) -> bool:
        disk = shutil.disk_usage(self.folder)
        return self._is_allowed(kept) and disk.free - sample_bytes(kept.sample) >= _KEEP_FREE * disk.total

    def _is_allowed(self, kept: Kept) -> bool:
        """Whether the limit leaves room for an item."""
        if self.limit is None:
            return True
        taken = sum(_size(file) for file in self.folder.glob(f"*{_ITEM}"))
        return sample_bytes(kept.sample) + taken <= self.limit


class SharedStore(FileStore):
    """One copy for all processes of a machine that say the same session; gone when the last of them is."""

    def __init__(self, session: str, items: Sequence[DataItem], *, limit: int | None = None) -> None:
        """Take the session.

        Args:
            session: What the processes of this training call themselves.
            items: The data list's items.
            limit: Bytes of all items at most.
        """
        folder = folder_of(session)
        super().__init__(folder, items, durable=False, limit=limit)
        self.place = f"{folder}, once for all processes of this machine"
        self._own_mark = f"{_MAPPED}{os.getpid()}-{next(_STORES)}"
        self._let_go: frozenset[int] = frozenset()
        self._leave: Callable[[], object] | None = None
        self._spare = SpareRoom(folder)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """That the shared memory had no room for some items."""
        return self._spare.warnings

    def open(self) -> None:
        """Join the session's folder; the first to come makes it.

        Raises:
            ResourceError: The folder cannot be made.
        """
        if self._leave is None:
            self._leave = weakref.finalize(self, leave, self.folder, os.getpid())
            join(self.folder)

    def find(self, index: int) -> Kept | None:
        """An item whose file is there, whoever made it; it stays there while this process maps it."""
        with self._marking():
            kept = super().find(index)
            if kept is not None:
                with contextlib.suppress(OSError):
                    self._path(index, self._own_mark).touch()
        return kept

    def put(self, index: int, kept: Kept) -> bool:
        """Write an item and map it; where it does not fit, the others need not wait for it."""
        fits = super().put(index, kept)
        if not fits:
            with contextlib.suppress(OSError):
                self._path(index, _LEFT).touch()
        return fits

    def keep_only(self, indices: Collection[int]) -> None:
        """Let go of all other items; their room is free once no process maps them."""
        gone = self._held.keys() - set(indices)
        super().keep_only(indices)
        with self._marking():
            for index in gone:
                self._unmark(index)
        if gone:  # there is room again, or will be
            self._let_go = frozenset(gone)
            for file in self.folder.glob(f"*{_LEFT}"):
                file.unlink(missing_ok=True)

    def awaits_room(self, wanted: Collection[int]) -> bool:
        """Whether another process still maps what this one let go, and what is wanted is not there yet."""
        if all(self._path(index, _ITEM).exists() for index in wanted):
            return False
        return any(self._path(index, _ITEM).exists() for index in self._let_go - self._held.keys())

    def close(self) -> None:
        """Let go of all items, and of the folder."""
        FileStore.keep_only(self, ())
        for mark in self.folder.glob(f"*{self._own_mark}"):
            mark.unlink(missing_ok=True)
        leaving, self._leave = self._leave, None
        if leaving is not None:
            leaving()
        self._spare.close()

    def _write(self, index: int, kept: Kept) -> bool:
        """Write an item, unless another process has done so meanwhile: what that one maps must stay the only copy.

        One that is on disk already is not copied.
        """
        path = self._path(index, _ITEM)
        if path.exists():
            return True
        if not self._is_allowed(kept):
            return False
        size = sample_bytes(kept.sample)
        return (
            link(kept.file, path)
            or super()._write(index, kept)
            or self._spare.take(path, kept, size=size, keep_free=_KEEP_FREE)
        )

    @contextlib.contextmanager
    def _marking(self) -> Iterator[None]:
        """One process at a time marks items, takes marks away, and removes what nobody has marked."""
        if not self.folder.exists() or fcntl is None:
            yield
            return
        with (self.folder / "marking.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _unmark(self, index: int) -> None:
        with contextlib.suppress(OSError):
            self._path(index, self._own_mark).unlink(missing_ok=True)
            if next(self.folder.glob(f"{self.name(index)}{_MAPPED}*"), None) is None:
                self._spare.forget(self._path(index, _ITEM))
                self._path(index, _ITEM).unlink(missing_ok=True)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # gone meanwhile
        return 0
