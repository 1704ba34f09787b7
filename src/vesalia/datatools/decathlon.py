"""Data sets in the layout of the Medical Segmentation Decathlon: ``dataset.json`` with lists of files."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vesalia.datatools.description import DatasetDescription, DatasetEntry, split
from vesalia.errors import DataError, Fault
from vesalia.pipelines.label_names import labels_by_value

__all__ = ["describe_decathlon", "is_decathlon"]

_ENTRY = '{"image": "imagesTr/case_001.nii.gz", "label": "labelsTr/case_001.nii.gz"}'


def is_decathlon(content: Mapping[str, Any]) -> bool:
    """Whether a ``dataset.json`` lists its files, as the Decathlon's do."""
    return isinstance(content.get("training"), list)


def describe_decathlon(file: Path, content: Mapping[str, Any]) -> DatasetDescription:
    """Describe a Decathlon data set; without a ``validation`` list a fifth of ``training`` is held out.

    Raises:
        DataError: Entries or labels are not as the layout has them; all faults at once.
    """
    faults: list[Fault] = []
    lists = {key: _entries(file, content, key, faults) for key in ("training", "validation", "test")}
    labels = labels_by_value(content.get("labels"), file=file, faults=faults)
    if not lists["training"] and not faults:
        faults.append(_fault(file, "training", "an empty list", f"subjects such as {_ENTRY}"))
    faults += [
        _fault(file, f"{key}[{index}].label", "no label", _ENTRY)
        for key in ("training", "validation")
        for index, entry in enumerate(lists[key])
        if entry.label is None
    ]
    if faults:
        raise DataError(faults=faults)
    training, validation = lists["training"], lists["validation"]
    if not validation:
        training, validation = split(training)
    return DatasetDescription(
        name=_text(content, "name") or file.parent.name,
        root=file.parent,
        source=file,
        modality=_modality(content.get("modality"), channels=len(training[0].image)),
        labels=labels,
        training=training,
        validation=validation,
        test=lists["test"],
        licence=_text(content, "licence") or _text(content, "license"),
        reference=_text(content, "reference"),
        about=_text(content, "description"),
    )


def _entries(file: Path, content: Mapping[str, Any], key: str, faults: list[Fault]) -> tuple[DatasetEntry, ...]:
    listed = content.get(key, [])
    if not isinstance(listed, list):
        faults.append(_fault(file, key, f"{type(listed).__name__}", f"a list of {_ENTRY}"))
        return ()
    read = [_entry(file, entry, f"{key}[{index}]", faults) for index, entry in enumerate(listed)]
    return tuple(entry for entry in read if entry is not None)


def _entry(file: Path, entry: object, where: str, faults: list[Fault]) -> DatasetEntry | None:
    fields = {"image": entry} if isinstance(entry, str) else entry
    if isinstance(fields, dict):
        image, label = fields.get("image"), fields.get("label")
        images = [image] if isinstance(image, str) else image
        named = isinstance(images, list) and images and all(isinstance(path, str) and path for path in images)
        if named and (label is None or isinstance(label, str)):
            return DatasetEntry(tuple(_clean(path) for path in images or ()), _clean(label) if label else None)
    faults.append(_fault(file, where, repr(entry)[:80], _ENTRY))
    return None


def _clean(path: str) -> str:
    return path.replace("\\", "/").removeprefix("./")


def _modality(value: object, *, channels: int) -> tuple[str, ...]:
    """Channel names in the order of their numbers (``{"0": "CT"}``), or one name, or none known."""
    if isinstance(value, dict):
        return tuple(str(value[key]) for key in sorted(value, key=_number))
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value),) if value else ("unknown",) * channels


def _number(key: object) -> tuple[int, str]:
    return (int(str(key)) if str(key).isdecimal() else -1, str(key))


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    return value.strip() if isinstance(value, str) else ""


def _fault(file: Path, key: str, found: str, write: str) -> Fault:
    return Fault(str(file), key, found=found, expected="an image and its label, relative to this file", write=write)
