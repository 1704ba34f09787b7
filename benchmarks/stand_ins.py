"""Data and archives that benchmarks make for themselves, where no real ones are given."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from vesalia.runtime.jsonfile import read_json

__all__ = ["EXAMPLE", "TINY_UNET", "archive_like", "blocks", "crop_chain", "hippocampus_like", "listed"]

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "hippocampus"
FIELDS = ("image", "label")
TINY_UNET = {
    "name": "Unet",
    "args": {"num_classes": 3, "nf_enc": "2,2,2,2", "nf_dec": "2,2,2,2,2,2,2", "use_group_norm": False},
}
"""A network for quick runs, which only show that a script runs."""


def blocks(
    folder: Path, count: int, shape: Sequence[int], *, spacing_mm: Sequence[float] = (1, 1, 1), classes: int = 2
) -> list[dict[str, str]]:
    """CT-like volumes in gzipped int16 with labels; entries for a data list.

    Soft shapes in smooth noise: a gzip makes about as much of it as of a CT.
    """
    random = np.random.default_rng(0)
    grid = np.meshgrid(*(np.linspace(-1, 1, length, dtype=np.float32) for length in shape), indexing="ij", sparse=True)
    entries = []
    for number in range(count):
        label = np.zeros(shape, np.uint8)
        for index in range(1, classes):
            centre = random.uniform(-0.3, 0.3, len(shape))
            distance = sum((axis - at) ** 2 for axis, at in zip(grid, centre, strict=True))
            label[distance < 0.15 / index] = index
        body = sum(axis**2 for axis in grid) < 1.2
        image = np.where(body, 40, -1000) + 120 * label + random.normal(0, 12, shape).round()
        entry = {field: f"{field}_{number}.nii.gz" for field in FIELDS}
        for field, data in zip(FIELDS, (image.astype(np.int16), label), strict=True):
            file = nib.Nifti1Image(data, np.diag([*spacing_mm, 1.0]))
            (folder / entry[field]).write_bytes(gzip.compress(file.to_bytes(), 6))
        entries.append(entry)
    return entries


def listed(folder: Path, entries: Mapping[str, Sequence[Mapping[str, str]]]) -> Path:
    """A data list of them."""
    file = folder / "dataset.json"
    file.write_text(json.dumps(dict(entries)))
    return file


def hippocampus_like(folder: Path, *, training: int, validation: int) -> Path:
    """Volumes of the size of MSD Task04 with two classes; gives the data list."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = blocks(folder, training + validation, (36, 50, 36), classes=3)
    return listed(folder, {"training": entries[:training], "validation": entries[training:]})


def crop_chain(size: Sequence[int], *, crops: int) -> list[dict[str, Any]]:
    """Transforms of a CT chain: several crops of each volume, flips, a change of intensity; for MergeBatchDims."""
    both = {"fields": list(FIELDS)}
    window = {"a_min": -57, "a_max": 164, "b_min": 0, "b_max": 1, "clip": True}
    return [
        {"name": "LoadNifti", "args": both},
        {"name": "ConvertToChannelsFirst", "args": both},
        {"name": "ScaleIntensityRange", "args": {"fields": "image", **window}},
        {"name": "FastCropByPosNegRatio", "args": {"size": list(size), "fields": "image", "batch_size": crops}},
        {"name": "RandomSpatialFlip", "args": both},
        {"name": "ScaleShiftIntensity", "args": {"fields": "image", "scale": 0.1, "shift": 0.1}},
    ]


def archive_like(
    folder: Path,
    *,
    train: Mapping[str, Any] | None = None,
    pipeline: Mapping[str, Any] | None = None,
    **top: Any,
) -> Path:
    """An archive with the hippocampus example's train config, parts of it replaced.

    Args:
        folder: Where to write it.
        train: Keys of the ``train`` section that are replaced.
        pipeline: The image pipeline's name and arguments that are added to or replaced; None leaves an argument out.
        **top: Keys of the config itself; None leaves one out.
    """
    for part in ("commands", "config", "docs", "eval", "models", "resources"):
        (folder / part).mkdir(parents=True)
    (folder / "config" / "environment.json").write_text((EXAMPLE / "config" / "environment.json").read_text())
    config = read_json(EXAMPLE / "config" / "config_train.json")
    config["train"].update(train or {})
    wanted = dict(pipeline or {})
    made = config["train"]["image_pipeline"]
    made["name"] = wanted.pop("name", made["name"])
    made["args"] = {name: value for name, value in {**made["args"], **wanted}.items() if value is not None}
    config = {name: value for name, value in {**config, **top}.items() if value is not None}
    (folder / "config" / "config_train.json").write_text(json.dumps(config))
    return folder
