"""Items that outlive the run: files named after all that decides what is in them, so that none can be out of date.

The name is a hash of the contents of the item's files, of the steps with their arguments, of the source code of the
steps, and of the versions of what they are built on. A change of any of these gives another name; files that nobody
asks for any more are removed when the disk needs room, and files that are not items never.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FunctionType, MethodDescriptorType, WrapperDescriptorType

import numpy as np
import torch

from vesalia.errors import DataError, Fault
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.described_code import CodeReader, Undescribed
from vesalia.pipelines.item_file import Kept, read_item
from vesalia.pipelines.store import sample_bytes
from vesalia.pipelines.store_shared import FileStore
from vesalia.runtime import machine
from vesalia.runtime.files import require_writable
from vesalia.runtime.machine import in_words

__all__ = ["DiskStore", "default_folder", "describe"]

_BLOCK = 1 << 20
_IN_USE_S = 3600.0
"""Files that were touched so lately belong to a run, perhaps; they are never removed for room."""
_KEEP_FREE, _FREE_AT_MOST = 0.1, 50e9
"""What is left to others: a part of the disk, and bytes that are enough on a large one."""
_ENDS_IN, _ITEM = ".safetensors", ".vesalia-item"
"""The end of an item's file is one that nobody else uses: what else lies in the folder is not ours to remove."""
_OWN_PARTS = ("imaging", "transforms", "pipelines")


def default_folder() -> Path:
    """Where items go if nobody says: the user's folder for caches."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "vesalia" / "items"


class DiskStore(FileStore):
    """A folder of items, for this run and later ones. It stands behind the store that holds items, and holds none."""

    def __init__(self, folder: Path, items: Sequence[DataItem], *, made_by: Sequence[object]) -> None:
        """Take the folder, which is made if it is not there.

        Args:
            folder: Where files are.
            items: The data list's items.
            made_by: What makes the items: steps and settings.

        Raises:
            ResourceError: The folder cannot be written.
            Undescribed: What makes the items cannot be put into words.
        """
        require_writable(folder)
        super().__init__(folder, items, durable=True)
        own = Path(__file__).resolve().parents[1]  # a checkout changes without a new version
        code = CodeReader().of_folders(*(own / part for part in _OWN_PARTS))
        self._recipe = _digest(describe([made_by, machine.versions(), code]).encode())
        self._names: dict[int, str] = {}
        self._naming = threading.Lock()
        self._refused: set[int] = set()
        self._free = ""

    def name(self, index: int) -> str:
        """What the file of an item is called.

        Raises:
            DataError: A file of the item cannot be read.
        """
        name = self._names.get(index)
        if name is None:
            item = self._items[index]
            files = {field: [_digest_of(path) for path in paths] for field, paths in item.files.items()}
            name = _digest(describe([self._recipe, files, item.vectors]).encode())
            with self._naming:
                self._names[index] = name
        return name

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """That the disk had no room for some items."""
        if not self._refused:
            return ()
        found = f"{self._free}, so {len(self._refused)} items were not written and will be prepared again next time"
        expected = f"a tenth of the disk free, or {in_words(_FREE_AT_MOST)}"
        write = "another folder for --persist-cache, or free some room"
        return (Fault(str(self.folder), found=found, expected=expected, write=write),)

    def find(self, index: int) -> Kept | None:
        """An item that an earlier run made; its file counts as used now. A torn file goes away."""
        path = self._path(index, _ENDS_IN)
        before = _identity(path)
        kept = read_item(path, self._items[index])
        with contextlib.suppress(OSError):
            if kept is not None:
                os.utime(path)
            elif before is not None and before == _identity(path):  # another process may have put it meanwhile
                path.unlink(missing_ok=True)
        return kept

    def put(self, index: int, kept: Kept) -> bool:
        """Write an item; where the disk is full, what nobody used for longest makes room."""
        files = [] if self._fits(kept) else sorted(self.folder.glob(f"*{_ITEM}"), key=_last_used)
        while files and not self._fits(kept) and time.time() - _last_used(files[0]) > _IN_USE_S:
            files.pop(0).unlink(missing_ok=True)
        if super().put(index, kept):
            return True
        disk = shutil.disk_usage(self.folder)
        self._free = f"{in_words(disk.free)} of {in_words(disk.total)} free"
        self._refused.add(index)
        return False

    def _fits(self, kept: Kept) -> bool:
        disk = shutil.disk_usage(self.folder)
        return disk.free - sample_bytes(kept.sample) >= min(_KEEP_FREE * disk.total, _FREE_AT_MOST)

    def _path(self, index: int, end: str) -> Path:
        return super()._path(index, _ITEM if end == _ENDS_IN else end)


def _last_used(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return time.time()


def _identity(file: Path) -> tuple[int, ...] | None:
    """What tells a file from another one of its name; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=20).hexdigest()


def _digest_of(path: Path) -> str:
    """Of a file's content; what a folder holds (DICOM series, say) counts file by file.

    Raises:
        DataError: It cannot be read.
    """
    try:
        if path.is_dir():
            return _digest("".join(_digest_of(file) for file in sorted(path.iterdir())).encode())
        digest = hashlib.blake2b(digest_size=20)
        with path.open("rb", buffering=0) as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        message = f"{path}: found that it cannot be read ({error.strerror}), expected an image"
        raise DataError(f"{message}; write the right path in the data list") from error
    return digest.hexdigest()


def describe(thing: object) -> str:
    """Everything that decides how ``thing`` works, as text: arguments, and the source code of its class.

    Raises:
        Undescribed: Something in it has no words.
    """
    return "\n".join(_words(thing, CodeReader(), depth=0))


def _words(thing: object, code: CodeReader, *, depth: int) -> Iterable[str]:
    if depth > 20:
        raise Undescribed(type(thing).__name__)
    if thing is None or isinstance(thing, bool | int | float | complex | str | bytes | torch.dtype | torch.device):
        yield f"{type(thing).__name__} {thing!r}"
    elif isinstance(thing, Path):
        yield f"path {thing}"
    elif isinstance(thing, torch.Tensor | np.ndarray):
        array = thing.detach().cpu().numpy() if isinstance(thing, torch.Tensor) else thing
        if array.dtype == object:
            raise Undescribed("an array of objects")
        yield f"array {array.dtype} {array.shape} {_digest(np.ascontiguousarray(array).tobytes())}"
    elif isinstance(thing, Mapping):
        for key in sorted(thing, key=repr):
            yield from (f"key {key!r}", *_words(thing[key], code, depth=depth + 1))
    elif isinstance(thing, list | tuple | set | frozenset):
        parts = ["\n".join(_words(part, code, depth=depth + 1)) for part in thing]
        yield f"{type(thing).__name__} {len(parts)}"
        yield from sorted(parts) if isinstance(thing, set | frozenset) else parts
    elif isinstance(thing, type | FunctionType):
        yield from _definition(thing, code)
    else:
        yield from _words_of_object(thing, code, depth=depth)


def _words_of_object(thing: object, code: CodeReader, *, depth: int) -> Iterable[str]:
    """The class of an object, and what it holds."""
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    held = {name: getattr(thing, name) for name in slots if hasattr(thing, name)} | getattr(thing, "__dict__", {})
    hidden = any(map(_is_made_in_c, type(thing).__mro__))
    if hidden or (not slots and not hasattr(thing, "__dict__")):  # what it holds cannot be seen
        raise Undescribed(type(thing).__name__)
    for kind in type(thing).__mro__:
        yield from _definition(kind, code)
    yield from _words(held, code, depth=depth + 1)


def _is_made_in_c(kind: type) -> bool:
    if kind is object or kind.__module__ in {"typing", "abc"}:
        return False
    return any(isinstance(part, WrapperDescriptorType | MethodDescriptorType) for part in vars(kind).values())


def _definition(thing: type | FunctionType, code: CodeReader) -> Iterable[str]:
    """The name of a class or function, and the code of the package that defines it."""
    yield f"{thing.__module__}.{thing.__qualname__}"
    if isinstance(thing, FunctionType) and thing.__closure__:
        raise Undescribed(f"{thing.__qualname__}, a function that holds values")
    package = thing.__module__.partition(".")[0]
    if package not in {"builtins", "vesalia", "abc", "typing", "collections"}:
        module = sys.modules.get(thing.__module__)
        if module is None:
            raise Undescribed(thing.__module__)
        yield code.of_module(module)
