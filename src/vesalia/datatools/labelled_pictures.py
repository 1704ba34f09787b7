"""Pictures with labels that are numbers: a data list, or a folder per class, as ``vesalia new`` finds them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vesalia.errors import DataError, Fault
from vesalia.pipelines.label_names import class_names, labels_by_value
from vesalia.runtime.jsonfile import read_json

__all__ = ["LabelledPictures", "Picture", "read_labelled_pictures"]

_FILE = "dataset.json"
_SUFFIXES = (".png", ".jpg", ".jpeg")
_HELD_OUT = 5
"""One picture in so many is held out for validation where the list does not say."""
_LAYOUTS = f"a {_FILE} whose entries have an image and numbers as their label, or a folder of pictures per class"
_ENTRY = '{"image": "images/1.png", "label": [0, 1]}'


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        image: Its files, relative to the root; several are channels.
        label: The numbers that are true of it; empty where nobody says.
    """

    image: tuple[str, ...]
    label: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The entry of a data list."""
        image: str | list[str] = self.image[0] if len(self.image) == 1 else list(self.image)
        numbers = [int(number) if number.is_integer() else number for number in self.label]
        return {"image": image, "label": numbers} if numbers else {"image": image}


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """A data set for a classification; no picture was read.

    Attributes:
        name: What it calls itself.
        root: The folder that relative paths begin at.
        source: The file or folder that was read.
        label_format: Per number of a label: 1 for a binary one, n for the number of one of n classes.
        names: A name per channel of the network's output.
        training: Pictures to learn from.
        validation: Pictures to judge by.
        test: Pictures without a label.
    """

    name: str
    root: Path
    source: Path
    label_format: tuple[int, ...]
    names: tuple[str, ...]
    training: tuple[Picture, ...]
    validation: tuple[Picture, ...]
    test: tuple[Picture, ...] = ()

    def data_list(self) -> dict[str, Any]:
        """The data list of an archive."""
        parts = {"training": self.training, "validation": self.validation, "test": self.test}
        listed = {key: [each.to_dict() for each in members] for key, members in parts.items() if members}
        return {"name": self.name, "labels": {str(place): name for place, name in enumerate(self.names)}, **listed}


def read_labelled_pictures(path: Path) -> LabelledPictures:
    """Read a data list, or a folder with a folder of pictures for each class.

    Raises:
        ConfigError: The data list is not JSON.
        DataError: There is no such data, or its entries have no labels that are numbers.
    """
    path = Path(path).absolute()
    file = path / _FILE if path.is_dir() else path
    if file.is_file():
        return _listed(file, read_json(file))
    folders = sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
    classes = {each.name: found for each in folders if (found := _pictures(each))}
    if len(classes) < 2:
        said = f"{len(classes)} folders with pictures" if path.is_dir() else "no such file"
        raise _error(path, said)
    pictures = [
        Picture((image.relative_to(path).as_posix(),), (float(number),))
        for number, images in enumerate(classes.values())
        for image in images
    ]
    training, validation = _split(pictures)
    return LabelledPictures(path.name, path, path, (len(classes),), tuple(classes), training, validation)


def _pictures(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.suffix.lower() in _SUFFIXES and each.is_file())


def _listed(file: Path, content: object) -> LabelledPictures:
    if not isinstance(content, dict):
        raise _error(file, f"a JSON {type(content).__name__}")
    faults: list[Fault] = []
    training, validation, test = (_entries(file, content, key, faults) for key in ("training", "validation", "test"))
    named = content.get("labels")
    names = labels_by_value(named, file=file, faults=faults, has_background=False) if named else {}
    if not faults and not training:
        faults.append(_fault(file, "training", "no pictures"))
    lengths = {len(each.label) for each in (*training, *validation)}
    if not faults and len(lengths) > 1:
        said = " and ".join(map(str, sorted(lengths)))
        faults.append(_fault(file, "training", f"labels of {said} numbers", "labels of one length"))
    if faults:
        raise DataError(faults=faults)
    widths = _label_format([each.label for each in (*training, *validation)], names)
    if not validation:
        training, validation = _split(training)
    if not validation:
        raise DataError(faults=[_fault(file, "training", f"{len(training)} pictures", "two or more")])
    title = content.get("name")
    name = title.strip() if isinstance(title, str) and title.strip() else file.parent.name
    spoken = class_names(names, count=sum(widths))
    return LabelledPictures(name, file.parent, file, widths, spoken, training, validation, test)


def _entries(file: Path, content: Mapping[str, Any], key: str, faults: list[Fault]) -> tuple[Picture, ...]:
    entries = content.get(key, [])
    if not isinstance(entries, list):
        faults.append(_fault(file, key, f"a {type(entries).__name__}"))
        return ()
    found = []
    for index, entry in enumerate(entries):
        picture = _entry(entry)
        if picture is None or (key != "test" and not picture.label):
            faults.append(_fault(file, f"{key}[{index}]", repr(entry)[:80]))
        else:
            found.append(picture)
    return tuple(found)


def _entry(entry: object) -> Picture | None:
    fields = entry if isinstance(entry, dict) else {"image": entry}
    image, label = fields.get("image"), fields.get("label", [])
    images = [image] if isinstance(image, str) else image
    numbers = label if isinstance(label, list) else [label]
    if not isinstance(images, list) or not images or not all(isinstance(each, str) and each for each in images):
        return None
    if not all(isinstance(each, int | float) and each >= 0 for each in numbers):
        return None
    return Picture(tuple(each.replace("\\", "/") for each in images), tuple(map(float, numbers)))


def _label_format(labels: Sequence[tuple[float, ...]], names: Mapping[int, str]) -> tuple[int, ...]:
    """What the numbers mean: binary up to 1, else one of as many classes as the largest says.

    One number with as many names as classes is the number of a class, be it only 0 or 1.
    """
    largest = np.asarray(labels).max(axis=0)
    if largest.shape == (1,) and len(names) > 1:
        return (max(len(names), int(largest[0]) + 1),)
    return tuple(1 if number <= 1 else int(number) + 1 for number in largest)


def _split(pictures: Sequence[Picture]) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """(training, validation): every label in both, as far as it comes often enough."""
    order = np.random.default_rng(0).permutation(len(pictures)).tolist()
    alike = sorted(order, key=lambda place: pictures[place].label)
    held_out = set(alike[min(_HELD_OUT // 2, len(alike) - 1) :: _HELD_OUT]) if len(alike) > 1 else set()
    kept = tuple(each for place, each in enumerate(pictures) if place not in held_out)
    return kept, tuple(each for place, each in enumerate(pictures) if place in held_out)


def _fault(file: Path, key: str, found: str, expected: str = "a picture and the numbers of its label") -> Fault:
    return Fault(str(file), key, found=found, expected=expected, write=_ENTRY)


def _error(path: Path, found: str) -> DataError:
    return DataError(faults=[Fault(str(path), found=found, expected=_LAYOUTS, write=_ENTRY)])
