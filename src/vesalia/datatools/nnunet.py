"""Raw data sets in the layout of nnU-Net version 2: files are found by their names, not listed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vesalia.datatools.description import DatasetDescription, DatasetEntry, split
from vesalia.errors import DataError, Fault
from vesalia.pipelines.label_names import labels_by_value

__all__ = ["describe_nnunet", "is_nnunet"]

_ENDINGS = (".nii.gz", ".nii")
_CHANNEL = re.compile(r"^(?P<case>.+)_(?P<channel>\d{4})$")


def is_nnunet(content: Mapping[str, Any]) -> bool:
    """Whether a ``dataset.json`` is one of nnU-Net version 2."""
    return isinstance(content.get("channel_names"), dict) and isinstance(content.get("file_ending"), str)


def describe_nnunet(file: Path, content: Mapping[str, Any]) -> DatasetDescription:
    """Describe an nnU-Net raw data set; a fifth of the training cases, chosen by a fixed seed, is held out.

    Raises:
        DataError: Files or labels are not as the layout has them; all faults at once.
    """
    faults: list[Fault] = []
    channels = _channel_names(content["channel_names"])
    labels = labels_by_value(content.get("labels"), file=file, faults=faults)
    ending = content["file_ending"]
    if ending not in _ENDINGS:
        faults.append(Fault(str(file), "file_ending", repr(ending), "NIfTI files", '".nii.gz" (convert the files)'))
        raise DataError(faults=faults)
    cases = _cases(file, "imagesTr", ending=ending, channels=len(channels), faults=faults)
    test = _cases(file, "imagesTs", ending=ending, channels=len(channels), faults=faults)
    entries = tuple(_labelled(file, case, images, ending=ending, faults=faults) for case, images in cases.items())
    if not entries and not faults:
        found, write = "no images", f"imagesTr/CASE_0000{ending} and labelsTr/CASE{ending}"
        faults.append(Fault(str(file.parent / "imagesTr"), found=found, expected="training cases", write=write))
    if faults:
        raise DataError(faults=faults)
    training, validation = split(entries)
    return DatasetDescription(
        name=str(content.get("name") or file.parent.name),
        root=file.parent,
        source=file,
        modality=channels,
        labels=labels,
        training=training,
        validation=validation,
        test=tuple(DatasetEntry(images) for images in test.values()),
        licence=str(content.get("licence") or content.get("license") or ""),
        reference=str(content.get("reference") or ""),
        about=str(content.get("description") or ""),
    )


def _channel_names(names: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(names[key]) for key in sorted(names, key=lambda key: (len(key), key)))


def _cases(file: Path, part: str, *, ending: str, channels: int, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    """Channel files by case, from ``CASE_0000``, ``CASE_0001`` and so on; lacking channels are faults."""
    found: dict[str, dict[int, str]] = {}
    folder = file.parent / part
    for path in sorted(folder.glob(f"*{ending}")) if folder.is_dir() else ():
        match = _CHANNEL.match(path.name.removesuffix(ending))
        if path.name.startswith("."):
            continue
        if match is None:
            write = f"{path.name.removesuffix(ending)}_0000{ending}"
            faults.append(Fault(str(path), found="a name without a channel number", expected="CASE_0000", write=write))
            continue
        found.setdefault(match["case"], {})[int(match["channel"])] = f"{part}/{path.name}"
    for case, files in found.items():
        if set(files) != set(range(channels)):
            has = ", ".join(f"_{number:04d}" for number in files)
            expected = f"{channels} channels, as channel_names has"
            write = f"files _0000 to _{channels - 1:04d} for each case, or other channel_names"
            faults.append(Fault(str(folder / case), found=f"the channels {has}", expected=expected, write=write))
    return {case: tuple(files[number] for number in sorted(files)) for case, files in found.items()}


def _labelled(file: Path, case: str, images: tuple[str, ...], *, ending: str, faults: list[Fault]) -> DatasetEntry:
    label = f"labelsTr/{case}{ending}"
    if not (file.parent / label).is_file():
        write = f"{label}, or move the image to imagesTs/"
        faults.append(Fault(str(file.parent / label), found="no file", expected=f"the label of {case}", write=write))
    return DatasetEntry(images, label)
