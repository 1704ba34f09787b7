"""Small data sets that the tests of this folder share: a few voxels per file, in both layouts."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

__all__ = ["SHAPE", "SPACING_MM", "decathlon", "label_map", "nnunet", "write_nifti"]

SHAPE = (20, 18, 17)
SPACING_MM = (1.0, 1.5, 2.0)


def write_nifti(path: Path, data: npt.NDArray[Any], spacing_mm: Sequence[float] = SPACING_MM) -> Path:
    """Write voxels with an affine that holds the spacing only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, np.diag([*spacing_mm, 1.0])), path)
    return path


def label_map(shape: tuple[int, ...] = SHAPE, *, values: Sequence[int] = (1, 2)) -> npt.NDArray[np.uint8]:
    """One cube of 4 x 4 x 4 voxels per value."""
    label = np.zeros(shape, dtype=np.uint8)
    for index, value in enumerate(values):
        label[4 * index + 1 : 4 * index + 5, 2:6, 3:7] = value
    return label


def decathlon(folder: Path, *, training: int = 4, validation: int = 2, modality: str = "CT") -> Path:
    """A Decathlon data set whose labelled voxels have densities of 100 x label, all others 0."""
    names = [f"case_{index}" for index in range(training + validation)]
    entries = []
    for name in names:
        label = label_map()
        image, drawn = f"imagesTr/{name}.nii.gz", f"labelsTr/{name}.nii.gz"
        write_nifti(folder / image, (100 * label).astype(np.int16))
        write_nifti(folder / drawn, label)
        entries.append({"image": f"./{image}", "label": f"./{drawn}"})
    content = {
        "name": "Tiny",
        "description": "small cubes",
        "licence": "CC0-1.0",
        "modality": {"0": modality},
        "labels": {"0": "background", "1": "left cube", "2": "right cube"},
        "training": entries[:training],
        **({"validation": entries[training:]} if validation else {}),
    }
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def nnunet(folder: Path, *, cases: int = 5, channels: int = 2, test_cases: int = 1) -> Path:
    """An nnU-Net raw data set with MR channels of random values."""
    rng = np.random.default_rng(0)
    ending = ".nii.gz"
    for part, count in (("imagesTr", cases), ("imagesTs", test_cases)):
        for case in range(count):
            for channel in range(channels):
                image = rng.normal(50, 5, SHAPE).astype(np.float32)
                write_nifti(folder / part / f"brain_{case}_{channel:04d}{ending}", image)
    for case in range(cases):
        write_nifti(folder / "labelsTr" / f"brain_{case}{ending}", label_map(values=[1]))
    content = {
        "channel_names": {str(channel): f"T{channel + 1}" for channel in range(channels)},
        "labels": {"background": 0, "tumour": 1},
        "numTraining": cases,
        "file_ending": ending,
    }
    (folder / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
