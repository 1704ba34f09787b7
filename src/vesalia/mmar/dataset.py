"""The data list that a config names: is it there, is it JSON, has it the list asked for. No image is looked at."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, Fault
from vesalia.mmar.archive import ArchiveFolder
from vesalia.mmar.findings import Findings
from vesalia.registry.kinds import shown
from vesalia.runtime.jsonfile import read_json
from vesalia.runtime.nearness import nearest

__all__ = ["DataLists", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was given: a file and a key path in it."""

    file: str
    key: str

    def fault(self, *, found: str, expected: str, write: str) -> Fault:
        """A fault at this place."""
        return Fault(self.file, self.key, found, expected, write)


@dataclass(slots=True)
class DataLists:
    """The data lists of one config; each file is read, and reported, once."""

    archive: ArchiveFolder
    findings: Findings
    _read: dict[Path, Any] = field(default_factory=dict)
    _bases: set[Path] = field(default_factory=set)

    def check(
        self, file: Path, base: Path, *, key: str, file_at: Place, base_at: Place, key_at: Place
    ) -> frozenset[str]:
        """Check that ``file`` holds the list ``key``.

        Args:
            file: The data list.
            base: The folder that its relative paths are meant from.
            key: The list in it.
            file_at: Where the config names the file.
            base_at: Where the config names the folder.
            key_at: Where the config names the list.

        Returns:
            The names of the fields that the entries have; empty where they cannot be told.
        """
        data = self._content(file, file_at)
        if data is None:
            return frozenset()
        entries = data.get(key)
        if not isinstance(entries, list) or not entries:
            self.findings.faults.append(self._key_fault(file, data, key, key_at))
            return frozenset()
        entries = [entry for entry in entries if isinstance(entry, dict)]
        if not base.is_dir() and base not in self._bases and any(map(_has_relative_image, entries)):
            self._bases.add(base)
            write = "the folder with the images, or --set DATA_ROOT=FOLDER"
            found = f'"{base}", which does not exist'
            self.findings.faults.append(base_at.fault(found=found, expected="an existing folder", write=write))
        return frozenset(name for entry in entries for name in entry)

    def _content(self, file: Path, file_at: Place) -> dict[str, Any] | None:
        if file not in self._read:
            self._read[file] = self._new_content(file, file_at)
        content: dict[str, Any] | None = self._read[file]
        return content

    def _new_content(self, file: Path, file_at: Place) -> dict[str, Any] | None:
        if not file.exists():
            found = f'"{file}", which does not exist'
            write = "the path of the data list, or --set DATASET_JSON=FILE"
            self.findings.faults.append(file_at.fault(found=found, expected="an existing JSON file", write=write))
            return None
        name = self.archive.shown(file)
        try:
            data = read_json(file, name)
        except ConfigError as error:
            self.findings.faults.extend(error.faults)
            return None
        if not isinstance(data, dict):
            expected, write = (
                "an object with lists such as training",
                '{"training": [{"image": "...", "label": "..."}]}',
            )
            self.findings.faults.append(Fault(name, "", shown(data), expected, write))
            return None
        return data

    def _key_fault(self, file: Path, data: dict[str, Any], key: str, key_at: Place) -> Fault:
        name = self.archive.shown(file)
        if data.get(key) == []:
            return Fault(name, key, "an empty list", "at least one item", '{"image": "...", "label": "..."}')
        if key in data:
            return Fault(name, key, shown(data[key]), "a list of items", '[{"image": "...", "label": "..."}]')
        lists = [known for known, value in data.items() if isinstance(value, list) and value]
        near = nearest(key, lists)
        write = f"{shown(near)} (did you mean this?)" if near else "one of these, or add the list to the file"
        expected = f"a list of {name} ({', '.join(lists) or 'it has none'})"
        return key_at.fault(found=shown(key), expected=expected, write=write)


def _has_relative_image(entry: dict[str, Any]) -> bool:
    value = entry.get("image")
    first = value[0] if isinstance(value, list) and value else value
    return isinstance(first, str) and not Path(first).is_absolute()
