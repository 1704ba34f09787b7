"""Data lists: which files belong to which subject, read from a Decathlon-style JSON file. Needs no torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, DataError, Fault
from vesalia.runtime.jsonfile import read_json
from vesalia.runtime.nearness import nearest

__all__ = ["FAULTS_SHOWN", "DataItem", "DataList", "items_of", "read_datalist", "stem_of", "subject_names"]

FAULTS_SHOWN = 10
_PATH_SHOWN = 200
_LABEL = "label"
_ALWAYS_FILES = ("image", _LABEL)
_IMAGE_SUFFIXES = (
    ".nii.gz", ".nii", ".npy", ".npz", ".png", ".jpg", ".jpeg", ".mha", ".mhd", ".nrrd", ".dcm", ".tif", ".tiff",
)  # fmt: skip
_SIGNS_OF_PATHS = re.compile(r"[\\/\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class DataItem:
    """One subject of a data list.

    Attributes:
        name: The subject; unique within the list.
        files: Field name (``image``, ``label``) to its files; several files are the channels of one volume.
        raw: The entry as the file has it, keys that name no files included.
        vectors: Field name to its numbers, where they stand in the list itself: the label of a classification.
    """

    name: str
    files: Mapping[str, tuple[Path, ...]]
    raw: Mapping[str, Any]
    vectors: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataList:
    """The subjects below one key of a data list file.

    Attributes:
        file: The JSON file.
        key: The key that was read, such as ``training``.
        items: The subjects in the file's order.
    """

    file: Path
    key: str
    items: tuple[DataItem, ...]

    def repeated(self, count: int) -> DataList:
        """The list ``count`` times over, each occurrence with a name of its own (v3's ``duplicate_count``)."""
        items = self.items * count
        names = _unique(item.name for item in items)
        return replace(self, items=tuple(replace(item, name=name) for item, name in zip(items, names, strict=True)))


def read_datalist(file: Path, base: Path, *, key: str) -> DataList:
    """Read the subjects below ``key``.

    An entry is ``{"image": path | [paths], "label": path | [paths] | number | [numbers]}`` with an optional label, or
    a plain path.
    Relative paths are joined to ``base``; a file or an entry may be listed many times.

    Raises:
        DataError: The file cannot be read, lacks the key, or has wrong entries or missing files; all faults
            at once, the first 10 in full.
    """
    content = _content_of(file)
    entries = _entries_of(content, file, key)
    if not base.is_dir():
        found, write = f"no folder {base}", "--set DATA_ROOT=FOLDER, the folder that holds the data"
        raise DataError(faults=[Fault(str(base), found=found, expected="the folder with the data", write=write)])
    reader = _EntryReader(file, base)
    files = [reader.read(entry, f"{key}[{index}]") for index, entry in enumerate(entries)]
    if reader.faults:
        raise _all_faults(f"{file}: {key}", reader.faults)
    names = subject_names([fields["image"][0] for fields in files])
    raws = [entry if isinstance(entry, dict) else {"image": entry} for entry in entries]
    vectors = [_vectors(raw) for raw in raws]
    items = tuple(DataItem(*parts) for parts in zip(names, files, raws, vectors, strict=True))
    return DataList(file, key, items)


def items_of(images: Sequence[Path]) -> tuple[DataItem, ...]:
    """Items for images that no list names, one channel each.

    Raises:
        DataError: Files that are not there, all of them at once.
    """
    faults = [
        Fault(str(image), found="no such file", expected="an image", write="the path of an image file")
        for image in images
        if not image.is_file()
    ]
    if faults:
        raise DataError(faults=faults)
    pairs = zip(subject_names(images), images, strict=True)
    return tuple(DataItem(name, {"image": (image,)}, {}) for name, image in pairs)


def stem_of(path: Path) -> str:
    """A file's name without its image suffix: ``spleen_8`` for ``spleen_8.nii.gz``, ``1.2.3`` for ``1.2.3.nii``."""
    lower = path.name.lower()
    for suffix in _IMAGE_SUFFIXES:
        if lower.endswith(suffix) and len(lower) > len(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def subject_names(images: Sequence[Path]) -> list[str]:
    """A unique name per image: its stem, with the folder in front where different files share a stem.

    A file that is listed again is ``case_2``, ``case_3`` and so on. Output folders are named so: each name is a single
    part of a path, never ``..`` and the like.
    """
    owners = Counter(_plain(stem_of(image)) for image in set(images))
    stems = [_plain(stem_of(image)) for image in images]
    named = (
        f"{_plain(path.parent.name)}_{stem}" if owners[stem] > 1 else stem
        for path, stem in zip(images, stems, strict=True)
    )
    return _unique(named)


def _plain(name: str) -> str:
    """``name`` without signs that mean something in a path; dots and spaces alone would mean another folder."""
    plain = _SIGNS_OF_PATHS.sub("_", name)
    return plain if plain.strip(". ") else "_" * max(1, len(plain))


def _unique(wanted: Iterable[str]) -> list[str]:
    """The names, a repeated one with a number behind it that gives no other name."""
    names = list(wanted)
    given, count = set(names), Counter[str]()
    unique = []
    for name in names:
        count[name] += 1
        chosen = name
        while count[name] > 1 and (chosen := f"{name}_{count[name]}") in given:
            count[name] += 1
        unique.append(chosen)
    return unique


def _content_of(file: Path) -> dict[str, Any]:
    if not file.exists():
        found, write = "no such file", "the path of the data list, or --set DATASET_JSON=FILE"
        raise DataError(faults=[Fault(str(file), found=found, expected="a data list", write=write)])
    try:
        content = read_json(file)
    except ConfigError as error:
        raise DataError(faults=error.faults) from None
    if isinstance(content, dict):
        return content
    expected = "a data list: a JSON object with a list of subjects per key"
    write = '{"training": [{"image": "a.nii.gz", "label": "a_label.nii.gz"}]} and the like'
    raise DataError(faults=[Fault(str(file), found=_kind(content), expected=expected, write=write)])


def _entries_of(content: Mapping[str, Any], file: Path, key: str) -> list[Any]:
    entries = content.get(key)
    if isinstance(entries, list) and entries:
        return entries
    keys = [name for name, value in content.items() if isinstance(value, list) and value]
    available = ", ".join(keys) or "none"
    near = nearest(key, keys)
    write = f"{near!r} (did you mean this?)" if near else f"one of the lists in the file: {available}"
    found = "an empty list" if entries == [] else _kind(entries) if key in content else f"no key {key!r}"
    fault = Fault(str(file), key, found=found, expected=f"a list of subjects (available: {available})", write=write)
    raise DataError(faults=[fault])


class _EntryReader:
    """Reads entries and collects what is wrong with them."""

    def __init__(self, file: Path, base: Path) -> None:
        self._file, self._base = str(file), base
        self._judged: dict[Path, str] = {}
        self.faults: list[Fault] = []

    def read(self, entry: object, where: str) -> dict[str, tuple[Path, ...]]:
        """The files of one entry by field; faults are kept."""
        if isinstance(entry, str):
            entry = {"image": entry}
        if not isinstance(entry, dict):
            self._fault(
                where, _kind(entry), "an object or a path", '{"image": "image.nii.gz", "label": "label.nii.gz"}'
            )
            return {}
        if entry.get("image") is None:
            self._fault(where, f"the keys {', '.join(entry) or 'none'}", "a key 'image'", '"image": "image.nii.gz"')
        return {
            name: self._paths(value, f"{where}.{name}")
            for name, value in entry.items()
            if value is not None and name not in _vectors(entry) and (name in _ALWAYS_FILES or _looks_like_files(value))
        }

    def _paths(self, value: object, where: str) -> tuple[Path, ...]:
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            vector = ", or numbers (of a classification)" if where.endswith(f".{_LABEL}") else ""
            expected = f"a path, or a list of paths (one per channel){vector}"
            self._fault(where, _kind(value), expected, '"imagesTr/case.nii.gz"')
            return ()
        paths = tuple(self._base / str(text) for text in texts)
        for path in paths:
            if path not in self._judged:
                self._judged[path] = _what_is_wrong(path)
            if self._judged[path]:
                self._fault(
                    where, self._judged[path], "a file that exists", "the right path, or --set DATA_ROOT=FOLDER"
                )
        return paths

    def _fault(self, where: str, found: str, expected: str, write: str) -> None:
        self.faults.append(Fault(self._file, where, found=found, expected=expected, write=write))


def _what_is_wrong(path: Path) -> str:
    try:
        if path.is_file():
            return ""
        return f"a folder {path}" if path.is_dir() else f"no file {path}"
    except (OSError, ValueError) as error:  # no permission, a name too long, a zero byte in it
        return f"a path that cannot be read ({type(error).__name__}): {str(path)[:_PATH_SHOWN]}"


def _vectors(entry: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    """The label's numbers, where it is numbers: ``[0, 1]``, ``2``, or true and false."""
    value = entry.get(_LABEL)
    numbers = value if isinstance(value, list) else [value]
    is_vector = bool(numbers) and all(isinstance(number, int | float) for number in numbers)
    return {_LABEL: tuple(map(float, numbers))} if is_vector else {}


def _looks_like_files(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return bool(texts) and all(isinstance(text, str) and text.lower().endswith(_IMAGE_SUFFIXES) for text in texts)


def _kind(value: object) -> str:
    """A JSON value in words short enough for a message."""
    if isinstance(value, dict):
        return "an object with the keys " + (", ".join(value) or "none")[:80]
    if isinstance(value, list):
        return f"a list of {len(value)} values"
    return f"the value {json.dumps(value)[:80]}"


def _all_faults(where: str, faults: Sequence[Fault]) -> DataError:
    """One error for all faults; beyond the first ten they are counted."""
    more = len(faults) - FAULTS_SHOWN
    many = f"{len(faults)} faults" if len(faults) > 1 else "1 fault"
    message = f"{where}: {many}" + (f", here are the first {FAULTS_SHOWN}, and {more} more" if more > 0 else "")
    return DataError(message, faults=faults[:FAULTS_SHOWN])
