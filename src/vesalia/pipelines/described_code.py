"""Code in a few words that change when it does: a hash of its files, and the versions of what they import."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType

__all__ = ["CodeReader", "Undescribed"]

_CODE = {".py", ".pyd", ".so"}
_MODULES_READ = 2000
_FILES_SEEN = 10_000
_INSTALLED = {"site-packages", "dist-packages"}
_OF_OTHERS = {"__pycache__", "node_modules", *_INSTALLED}
_STANDARD = Path(os.__file__).resolve().parent
_IMPORT = re.compile(
    rb"""^[ \t]*(?:from[ \t]+(\w+)[\w.]*[ \t]+import|import[ \t]+([\w., \t]+))|import\w*\(\s*["'](\w+)""", re.MULTILINE
)
_NAME = re.compile(r"^Name: *(.+?) *$", re.MULTILINE)
_TOP = re.compile(r"^(\w+)(?:/|\.py,|\.\w[\w.-]*\.(?:so|pyd),)", re.MULTILINE)
"""The first name of a path in a list of installed files: a package, or a module that is a file."""
_REQUIRED = re.compile(r"[\w.-]+")


class Undescribed(ValueError):
    """Something decides what an item is and cannot be put into words: the item is not kept."""


class CodeReader:
    """Describes code, each folder once.

    A folder counts with all code below it. Of what it imports, installed packages count with their versions and with
    those of what they require; packages that are worked on, elsewhere on the disk, count with all their code.
    """

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._known: dict[tuple[Path, ...], str] = {}
        self._distributions: Mapping[str, Sequence[str]] | None = None

    def of_module(self, module: ModuleType) -> str:
        """What describes a module: its whole package, or the folder it is in.

        Raises:
            Undescribed: It has no file, or there is too much beside it.
        """
        file = _file_of(module)
        if file is None:
            raise Undescribed(module.__name__)
        if file.is_relative_to(_STANDARD) and not _is_installed(file):
            return "of Python"
        top = sys.modules.get(module.__name__.partition(".")[0], module)
        if not _is_installed(file):
            return self.of_folders(_root(top, file))
        versions = self._versions([top.__name__])
        try:
            code = self.of_folders(_root(top, file))
        except Undescribed:
            if not versions:
                raise
            code = "too much to read"
        return f"{code} {versions}"

    def of_folders(self, *folders: Path) -> str:
        """What describes the code below some folders, or a file of code.

        Raises:
            Undescribed: There is too much.
        """
        if folders not in self._known:
            before = dict(self._known)
            self._known[folders] = ""  # packages may import each other
            try:
                self._known[folders] = self._read(folders)
            except Undescribed:
                self._known = before  # without what was read meanwhile, too: it may import these
                raise
        return self._known[folders]

    def _read(self, folders: Sequence[Path]) -> str:
        digest = hashlib.blake2b(digest_size=20)
        imported: set[str] = set()
        for folder in folders:
            for file in _code_below(folder):
                try:
                    content = file.read_bytes()
                except OSError as error:
                    raise Undescribed(f"{file}, {error.strerror}") from error
                digest.update(f"{file.relative_to(folder.parent)} {len(content)} ".encode() + content)
                imported |= _imports(content) if file.suffix == ".py" else set()
        worked_on = (self.of_module(module) for module in _worked_on(imported, folders))
        return f"{digest.hexdigest()} {self._versions(imported)} {sorted(worked_on)}"

    def _versions(self, packages: Iterable[str]) -> list[str]:
        """The versions of what installed these packages, and of all that is required."""
        if self._distributions is None:
            self._distributions = _installed()
        left = [name for package in packages for name in self._distributions.get(package, ())]
        found: dict[str, str] = {}
        while left:
            name = re.sub("[-_.]+", "-", left.pop()).lower()
            if name in found:
                continue
            try:
                distribution = metadata.distribution(name)
            except metadata.PackageNotFoundError:
                continue
            found[name] = distribution.version
            left += [needed[0] for needed in map(_REQUIRED.match, _needs(distribution)) if needed]
        return sorted(f"{name} {version}" for name, version in found.items())


def _installed() -> dict[str, list[str]]:
    """By which distributions packages were installed; as ``packages_distributions``, in a tenth of its time."""
    found: dict[str, list[str]] = {}
    for distribution in metadata.distributions():
        name = _NAME.search(distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or "")
        listed = (distribution.read_text("top_level.txt") or "").split()
        files = {} if listed else dict.fromkeys(_TOP.findall(distribution.read_text("RECORD") or ""))
        for package in listed or files:
            found.setdefault(package, []).append(name[1] if name else package)
    return found


def _needs(distribution: metadata.Distribution) -> Iterator[str]:
    return (line for line in distribution.requires or () if "extra ==" not in line)


def _imports(content: bytes) -> set[str]:
    """Names of the packages that a text seems to import; one too many does no harm."""
    found = _IMPORT.findall(content)
    several = (part.split()[0].partition(b".")[0] for _, many, _ in found for part in many.split(b",") if part.strip())
    return {name.decode() for name in (*several, *(name for one, _, by in found for name in (one, by))) if name}


def _worked_on(names: Iterable[str], folders: Sequence[Path]) -> Iterator[ModuleType]:
    """Packages of these names that are neither installed nor Vesalia's, nor in the folders."""
    for name in sorted(set(names) - {"vesalia"}):
        module = sys.modules.get(name)
        file = None if module is None else _file_of(module)
        if module is None or file is None or file.is_relative_to(_STANDARD) or _is_installed(file):
            continue
        if not any(file.is_relative_to(folder) for folder in folders):
            yield module


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return None if file is None else Path(file).resolve()


def _is_installed(file: Path) -> bool:
    return not _INSTALLED.isdisjoint(file.parts)


def _root(top: ModuleType, file: Path) -> Path:
    """The folder of a whole package; of a module alone the folder it is in, or the file where that is everybody's."""
    paths = list(getattr(top, "__path__", ()))
    if paths:
        return Path(paths[0]).resolve()
    return file if file.parent.name in _INSTALLED else file.parent


def _code_below(folder: Path) -> list[Path]:
    """The files of code in a folder, in order; looks no further where there are too many.

    Raises:
        Undescribed: There are too many.
    """
    if folder.is_file():
        return [folder]
    found: list[Path] = []
    seen = 0
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _OF_OTHERS and not name.startswith(".")]
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        found += [Path(place, name) for name in files if Path(name).suffix in _CODE]
        seen += len(files) + len(folders)
        if len(found) > _MODULES_READ or seen > _FILES_SEEN:
            raise Undescribed(f"{folder}, more files than code of its own has")
    return sorted(found)
