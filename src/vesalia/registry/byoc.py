"""Bring your own component: classes from an archive's ``custom/`` folder, and from nowhere else.

Reading a config never imports such code: :func:`custom_code` and :mod:`vesalia.registry.ancestry` only read its source.
Importing it (:func:`import_custom`) puts the folder on ``sys.path``, and takes it and its modules out again, so that
two archives may have modules of the same name, and nothing of an archive is left behind.

Threads: one lock is held while custom code is imported, because ``sys.path`` and ``sys.modules`` belong to all.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.machinery import ModuleSpec
from itertools import islice
from pathlib import Path
from threading import RLock
from types import ModuleType

from vesalia.registry.kinds import Mismatch
from vesalia.registry.source import module_below, read_source
from vesalia.registry.target import Target

__all__ = ["custom_code", "import_custom"]

_SKIPPED = frozenset({"models", "eval", "resources", "docs", "commands", "config", "__pycache__", "site-packages"})
"""Folders of an archive that hold no modules, and may hold many files."""
_BESIDE = ("BYOC", "byoc", "custom")
"""Folders beside an archive in which v3's archives had their code."""
_FOLDERS_READ, _FILES_READ = 200, 500
_LOCK = RLock()


def custom_code(dotted: str, custom: Path) -> Target | Mismatch:
    """The class behind a dotted path, which must lie inside the archive's ``custom`` folder.

    Args:
        dotted: ``module.Class`` or ``package.module.Class``.
        custom: The folder; need not exist.
    """
    parts = dotted.split(".")
    if not all(part.isidentifier() for part in parts) or len(parts) < len(("module", "Class")):
        return Mismatch("module.Class: a class in the archive's custom folder", '"my_module.MyClass"')
    module, _, qualname = dotted.rpartition(".")
    file = module_below(custom, module)
    if file is None:
        return Mismatch(
            f"a file {custom.name}/{'/'.join(parts[:-1])}.py with the class {qualname}", _proposal(custom, qualname)
        )
    if not file.resolve().is_relative_to(custom.resolve()):
        return Mismatch("a file inside the archive's custom folder", "a copy of the file there, not a link out of it")
    return Target(module, qualname, "custom", file)


def _proposal(custom: Path, qualname: str) -> str:
    """A path that would work: the module of ``custom`` that defines the class, or the file that belongs there."""
    inside = _defining(sorted(custom.rglob("*.py")), qualname)
    if inside is not None:
        dotted = ".".join(inside.relative_to(custom).with_suffix("").parts)
        return f'"{dotted.removesuffix(".__init__")}.{qualname}"'
    root = custom.parent
    outside = _defining(_elsewhere(root), qualname)
    if outside is None:
        return "the file there, or the name of a component that ships"
    if outside.is_relative_to(root):
        shown = outside.relative_to(root).as_posix()
    else:
        shown = f"{outside.relative_to(root.parent).as_posix()} (beside the archive)"
    return f'"{outside.stem}.{qualname}", and copy {shown} and what it imports into {custom.name}/'


def _defining(files: Iterable[Path], qualname: str) -> Path | None:
    """The first of ``files`` that defines the class."""
    for file in islice(files, _FILES_READ):
        try:
            if qualname in read_source(file, file.stem).classes:
                return file
        except (SyntaxError, OSError):
            continue
    return None


def _elsewhere(root: Path) -> Iterator[Path]:
    """Python files of an archive outside ``custom``, and of the folders beside it in which v3 kept code.

    Data may lie in an archive, too: so many folders are looked into, and no more.
    """
    for top in (root, *(root.parent / name for name in _BESIDE)):
        for folder, below, files in islice(os.walk(top), _FOLDERS_READ):
            below[:] = sorted(name for name in below if name not in _SKIPPED and not name.startswith("."))
            yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def import_custom(target: Target, custom: Path) -> type:
    """Import a class of the archive; the caller has made sure that the user allowed it.

    Raises:
        Exception: Whatever the stranger's code raises.
    """
    with _LOCK, _Visit.of(custom.resolve()).inside():
        module = importlib.import_module(target.module)
    found = getattr(module, target.qualname)
    if not isinstance(found, type):
        message = f"{target.path} is not a class"
        raise TypeError(message)
    return found


class _Visit:
    """The modules of one ``custom`` folder, kept out of ``sys.modules`` while no import runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[str, ModuleType] = {}
        self._state: dict[Path, int] = {}

    @staticmethod
    @lru_cache(maxsize=16)
    def of(folder: Path) -> _Visit:
        """The visit of a folder; the same folder gives the same modules until a file changes."""
        return _Visit(folder)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Put the folder and its modules in place; take out afterwards what came from it."""
        state = {file: file.stat().st_mtime_ns for file in self._folder.rglob("*.py")}
        if state != self._state:
            self._modules, self._state = {}, state
        own = {
            ".".join(file.relative_to(self._folder).with_suffix("").parts).removesuffix(".__init__") for file in state
        }
        hidden = {name: sys.modules.pop(name) for name in own if name in sys.modules}
        writes_bytecode = sys.dont_write_bytecode
        sys.modules.update(self._modules)
        sys.path.insert(0, str(self._folder))
        sys.dont_write_bytecode = True
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.dont_write_bytecode = writes_bytecode
            sys.path.remove(str(self._folder))
            self._take_out(own)
            sys.modules.update(hidden)

    def _take_out(self, own: set[str]) -> None:
        loaded = list(sys.modules.items())
        for name in [name for name, module in loaded if name in own or self._is_from_here(module)]:
            self._modules[name] = sys.modules.pop(name)

    def _is_from_here(self, module: ModuleType) -> bool:
        """By the module's specification: asking a module for other names may load it, or be answered with anything."""
        spec = getattr(module, "__spec__", None)
        if not isinstance(spec, ModuleSpec):
            return False
        places = [spec.origin, *(spec.submodule_search_locations or ())]
        return any(place and Path(place).is_relative_to(self._folder) for place in places)
