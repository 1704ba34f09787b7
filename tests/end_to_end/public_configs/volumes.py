"""Tiny data sets of the kinds that the public configs were made for, each with its data list."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["DATA", "make"]

Array = npt.NDArray[Any]
Item = dict[str, Any]

_TRAINING, _VALIDATION = 4, 2
_FEW = "few "
_SIZE = (24, 24, 12)
_SPACING = np.diag([1.0, 1.0, 2.0, 1.0])
_BRAIN = (20, 20, 16)
_PICTURE = (80, 64)


def make(name: str, folder: Path) -> Path:
    """Write a data set; returns its data list. ``few `` before a name makes two items to train on and one to judge."""
    folder.mkdir(parents=True)
    dice = np.random.default_rng(11)
    few = name.startswith(_FEW)
    train, judge = (2, 1) if few else (_TRAINING, _VALIDATION)
    items = [DATA[name.removeprefix(_FEW)](folder, number, dice) for number in range(train + judge)]
    listed = {
        "description": "made for tests",
        "labels": {"0": "background", "1": "organ"} if name.endswith("spleen") else {},
        "modality": {"0": "CT"},
        "numTraining": _TRAINING,
        "tensorImageSize": "3D",
        "training": items[:train],
        "validation": items[train:],
    }
    (folder / "dataset.json").write_text(json.dumps(listed))
    return folder / "dataset.json"


def _blob(size: tuple[int, ...], centre: Array, radius: float) -> Array:
    grid = np.stack(np.meshgrid(*[np.arange(length) / length for length in size], indexing="ij"))
    distance = np.linalg.norm(grid - centre.reshape(-1, *[1] * len(size)), axis=0)
    found: Array = distance < radius
    return found


def _label(size: tuple[int, ...], dice: np.random.Generator, values: tuple[int, ...] = (1,)) -> Array:
    """Balls that lie in each other, a value each."""
    centre = dice.uniform(0.4, 0.6, len(size))
    label = np.zeros(size, np.uint8)
    for index, value in enumerate(values):
        label[_blob(size, centre, 0.4 * (1 - index / len(values)))] = value
    return label


def _hounsfield(label: Array, dice: np.random.Generator) -> Array:
    image: Array = (label * 80.0 - 40 + dice.normal(0, 10, label.shape)).astype(np.int16)
    return image


def _nifti(file: Path, data: Array, affine: Array = _SPACING) -> None:
    nib.save(nib.Nifti1Image(data, affine), file)


def _volume(folder: Path, number: int, dice: np.random.Generator, values: tuple[int, ...]) -> Item:
    label = _label(_SIZE, dice, values)
    item = {"image": f"./image_{number}.nii.gz", "label": f"./label_{number}.nii.gz"}
    _nifti(folder / item["image"], _hounsfield(label > 0, dice))
    _nifti(folder / item["label"], label)
    return item


def _spleen(folder: Path, number: int, dice: np.random.Generator) -> Item:
    return _volume(folder, number, dice, (1,))


def _organs(folder: Path, number: int, dice: np.random.Generator) -> Item:
    return _volume(folder, number, dice, (1, 2))


def _arrays(folder: Path, number: int, dice: np.random.Generator) -> Item:
    label = _label(_SIZE, dice)
    item = {"image": f"image_{number}.npy", "label": f"label_{number}.npy"}
    np.save(folder / item["image"], _hounsfield(label, dice))
    np.save(folder / item["label"], label)
    return item


def _contrasts(folder: Path, number: int, dice: np.random.Generator) -> Item:
    """Four contrasts in one 4D file, tumour regions 1, 2 and 4."""
    label = _label(_BRAIN, dice, (2, 1, 4))
    image = np.stack([(label + 1) * weight + dice.normal(0, 0.1, _BRAIN) for weight in (1, 2, 3, 4)], axis=-1)
    item = {"image": f"image_{number}.nii.gz", "label": f"label_{number}.nii.gz"}
    _nifti(folder / item["image"], image.astype(np.float32), np.eye(4))
    _nifti(folder / item["label"], label, np.eye(4))
    return item


def _contrast_lists(folder: Path, number: int, dice: np.random.Generator) -> Item:
    """The same in a file per contrast."""
    label = _label(_BRAIN, dice, (2, 1, 4))
    images = [f"{kind}_{number}.nii.gz" for kind in ("flair", "t1", "t1ce", "t2")]
    for weight, file in enumerate(images, 1):
        image = (label + 1) * weight + dice.normal(0, 0.1, _BRAIN)
        _nifti(folder / file, image.astype(np.float32), np.eye(4))
    _nifti(folder / f"label_{number}.nii.gz", label, np.eye(4))
    return {"image": images, "label": f"label_{number}.nii.gz"}


def _colour(file: Path, label: Array, dice: np.random.Generator) -> None:
    channels = [np.clip(120 * label + 40 + dice.normal(0, 10, label.shape), 0, 255) for _ in range(3)]
    Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8)).save(file)


def _polyps(folder: Path, number: int, dice: np.random.Generator) -> Item:
    label = _label(_PICTURE, dice)
    item = {"image": f"image_{number}.png", "label": f"label_{number}.png"}
    _colour(folder / item["image"], label, dice)
    Image.fromarray(label).save(folder / item["label"])
    return item


def _xrays(folder: Path, number: int, dice: np.random.Generator) -> Item:
    """Every finding is there in every other picture."""
    _colour(folder / f"image_{number}.png", _label(_PICTURE, dice), dice)
    return {"image": f"image_{number}.png", "label": [(number + finding) % 2 for finding in range(15)]}


def _scans(folder: Path, number: int, dice: np.random.Generator) -> Item:
    _nifti(folder / f"image_{number}.nii.gz", _hounsfield(_label(_SIZE, dice), dice))
    return {"image": f"image_{number}.nii.gz", "label": [number % 2]}


DATA: Mapping[str, Callable[[Path, int, np.random.Generator], Item]] = {
    "spleen": _spleen,
    "organs": _organs,
    "arrays": _arrays,
    "contrasts": _contrasts,
    "contrast_lists": _contrast_lists,
    "polyps": _polyps,
    "xrays": _xrays,
    "scans": _scans,
}
