"""Items in files that several processes map: one copy for all ranks of a machine, or one that outlives the run.

Processes agree through the folder alone. Who makes an item first claims it, with a file that names its process; who
finds the claim of a process that is gone takes it over. A file of an item appears whole or not at all.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import psutil

from vesalia.errors import DataError, ResourceError
from vesalia.imaging.volume import Sample
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.item_file import Kept, read_item, write_item
from vesalia.pipelines.store import Store, sample_bytes
from vesalia.runtime.files import as_resource_error

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment] # asked for below

__all__ = ["FileStore", "SharedStore", "remove_leftovers"]

_ITEM, _CLAIM, _LEFT = ".safetensors", ".claim", ".left"
_FOLDER = "vesalia-items-"
_MEMBER = "member-"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - files in it have a folder of the user's own
_SIGNED_WITHIN_S = 5.0
_SAME_START_S = 5.0  # two processes may not agree on when the machine was started
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
        path = self._path(index, _ITEM)
        try:
            with self._alone():
                if not self._fits(kept):
                    return False
                write_item(path, kept, durable=self._durable)
        except ResourceError:  # another program took the room meanwhile
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
        own = _process()
        try:
            with claim.open("x") as stream:
                stream.write(own)
        except FileExistsError:
            if self.awaited(index):
                return False
            with contextlib.suppress(OSError):
                claim.write_text(own)
        except OSError as error:
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
        return said != _process() and _lives(said)

    def release(self, index: int) -> None:
        """Say that this process does not make the item any more."""
        with contextlib.suppress(OSError, DataError):
            self._path(index, _CLAIM).unlink(missing_ok=True)

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
        size = sample_bytes(kept.sample)
        disk = shutil.disk_usage(self.folder)
        if disk.free - size < _KEEP_FREE * disk.total:
            return False
        if self.limit is None:
            return True
        with contextlib.suppress(OSError):
            return size + sum(file.stat().st_size for file in self.folder.glob(f"*{_ITEM}")) <= self.limit
        return False


class SharedStore(FileStore):
    """One copy for all processes of a machine that say the same session; gone when the last of them is."""

    def __init__(self, session: str, items: Sequence[DataItem], *, limit: int | None = None) -> None:
        """Take the session.

        Args:
            session: What the processes of this training call themselves.
            items: The data list's items.
            limit: Bytes of all items at most.
        """
        folder = _base() / f"{_FOLDER}{_user()}-{session}"
        super().__init__(folder, items, durable=False, limit=limit)
        self.place = f"{folder}, once for all processes of this machine"
        self._leave: Callable[[], object] | None = None

    def open(self) -> None:
        """Join the session's folder; the first to come makes it.

        Raises:
            ResourceError: The folder cannot be made.
        """
        if self._leave is not None:
            return
        remove_leftovers()
        self._leave = weakref.finalize(self, _leave, self.folder, os.getpid())
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            unsigned = self.folder / f".{os.getpid()}"  # who finds an empty member takes it for dead
            unsigned.write_text(_process())
            unsigned.replace(self.folder / f"{_MEMBER}{os.getpid()}")
        except OSError as error:
            raise as_resource_error(self.folder, error) from error

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
        for index in gone:
            for end in (_ITEM, _CLAIM, _LEFT):
                with contextlib.suppress(OSError):
                    self._path(index, end).unlink(missing_ok=True)
        if gone:  # there is room again
            for file in self.folder.glob(f"*{_LEFT}"):
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of all items, and of the folder."""
        FileStore.keep_only(self, ())
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


def remove_leftovers(base: Path | None = None) -> None:
    """Remove the folders of this user's processes that ended without a word."""
    for folder in (base or _base()).glob(f"{_FOLDER}{_user()}-*"):
        members = list(folder.glob(f"{_MEMBER}*"))
        if members and not any(_lives(_read(member)) for member in members):
            shutil.rmtree(folder, ignore_errors=True)


def _leave(folder: Path, process: int) -> None:
    """Take this process out of a folder, and the folder away with the last one."""
    if os.getpid() != process:  # a fork, which holds nothing
        return
    with contextlib.suppress(OSError):
        (folder / f"{_MEMBER}{process}").unlink(missing_ok=True)
    if not any(_lives(_read(member)) for member in folder.glob(f"{_MEMBER}*")):
        shutil.rmtree(folder, ignore_errors=True)


def _base() -> Path:
    return _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _process() -> str:
    """This process, so that another one that gets its number later is not taken for it."""
    return json.dumps([os.getpid(), psutil.Process().create_time()])


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _lives(said: str) -> bool:
    try:
        number, since = json.loads(said)
        return bool(abs(psutil.Process(number).create_time() - since) < _SAME_START_S)
    except (ValueError, TypeError, psutil.Error):
        return False
