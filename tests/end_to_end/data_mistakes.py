"""Seeded mistakes: data lists, images and labels that are not what training or judging needs."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from tests.end_to_end.mistakes import Damage, Mistake, all_of, drop, put
from tests.end_to_end.workbench import ENVIRONMENT, LIST, TRAIN, VALIDATION, Bench

__all__ = ["MISTAKES", "change_affine", "change_voxels"]

Voxels = npt.NDArray[Any]

_ALL = ("check", "train", "evaluate", "infer")
_JUDGE = ("check", "train", "evaluate")
_IMAGE, _LABEL = "imagesTr/abdomen_005.nii.gz", "labelsTr/abdomen_005.nii.gz"
_EVAL = ("archive/eval/",)
"""A broken subject is told at the end; the results of the others are written."""


def change_voxels(path: Path, change: Callable[[Voxels], Voxels]) -> None:
    """Write an image anew with other voxels, on the same affine."""
    image: Any = nib.loadsave.load(path)
    voxels = change(np.asarray(image.dataobj))
    nib.loadsave.save(nib.Nifti1Image(voxels, image.affine), path)


def change_affine(path: Path, affine: npt.NDArray[np.float64]) -> None:
    """Write an image anew at another place."""
    image: Any = nib.loadsave.load(path)
    nib.loadsave.save(nib.Nifti1Image(np.asarray(image.dataobj), affine @ image.affine), path)


def _image(change: Callable[[Voxels], Voxels]) -> Damage:
    return lambda bench: change_voxels(bench.image(5), change)


def _label(change: Callable[[Voxels], Voxels]) -> Damage:
    return lambda bench: change_voxels(bench.label(5), change)


def _with_voxel(value: float, dtype: str) -> Callable[[Voxels], Voxels]:
    def change(voxels: Voxels) -> Voxels:
        changed = voxels.astype(dtype)
        changed[2, 3, 4] = value
        return changed

    return change


def _cut(bench: Bench) -> None:
    content = bench.image(5).read_bytes()
    bench.image(5).write_bytes(content[: len(content) // 2])


def _flip_bit(bench: Bench) -> None:
    content = bytearray(bench.image(5).read_bytes())
    content[len(content) // 2] ^= 0x10
    bench.image(5).write_bytes(content)


def _shift(bench: Bench) -> None:
    affine = np.eye(4)
    affine[0, 3] = 40.0
    change_affine(bench.label(5), affine)


def _no_size(bench: Bench) -> None:
    image: Any = nib.loadsave.load(bench.image(5))
    image.header["pixdim"][1] = 0
    image.header["srow_x"] = 0
    nib.loadsave.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), bench.image(5))


MISTAKES = (
    Mistake(
        "the list asked for is not in the data list",
        put("train.image_pipeline.args.data_list_key", "traning"),
        (TRAIN, "train.image_pipeline.args.data_list_key", '"traning"', '"training" (did you mean this?)'),
    ),
    Mistake(
        "the list to judge by is not in the data list",
        put("DATA_LIST_KEY", "validaton", VALIDATION),
        (VALIDATION, "DATA_LIST_KEY", '"validaton"', '"validation" (did you mean this?)'),
        ("check", "evaluate", "infer"),
    ),
    Mistake("a list without subjects", put("training", [], LIST), (LIST, "training", "an empty list", "at least one")),
    Mistake(
        "an object for a list",
        put("training", {"image": "a.nii.gz"}, LIST),
        (LIST, "training", "a list of items"),
    ),
    Mistake(
        "a number for a path",
        put("training[1].image", 5, LIST),
        ("dataset.json", "training[1].image", "the value 5", "a path"),
    ),
    Mistake(
        "an entry without an image",
        drop("training[1].image", LIST),
        ("dataset.json", "training[1]", "the keys label", "a key 'image'"),
    ),
    Mistake(
        "an entry without a label",
        drop("validation[0].label", LIST),
        ("abdomen_005", "no label"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "an image that is gone",
        lambda bench: bench.image(5).unlink(),
        ("dataset.json", "validation[0].image", "no file", _IMAGE, "a file that exists"),
        _ALL,
    ),
    Mistake(
        "a label that is gone",
        lambda bench: bench.label(2).unlink(),
        ("dataset.json", "training[1].label", "no file", "labelsTr/abdomen_002.nii.gz"),
    ),
    Mistake(
        "a folder for an image",
        put("validation[0].image", "imagesTr", LIST),
        ("dataset.json", "validation[0].image", "a folder", "imagesTr"),
        _ALL,
    ),
    Mistake(
        "an image cut short", _cut, (_IMAGE, "damaged gzip data", "a fresh copy of the file"), _ALL, may_change=_EVAL
    ),
    Mistake("an image with a bit flipped", _flip_bit, (_IMAGE, "damaged gzip data"), _ALL, may_change=_EVAL),
    Mistake(
        "a text called .nii.gz",
        lambda bench: bench.image(5).write_text("these are not the voxels you are looking for\n" * 20),
        (_IMAGE, "without the NIfTI mark", "NIfTI"),
        _ALL,
        may_change=_EVAL,
    ),
    Mistake(
        "an empty image file",
        lambda bench: bench.image(5).write_bytes(b""),
        (_IMAGE, "an empty file", "NIfTI"),
        _ALL,
        may_change=_EVAL,
    ),
    Mistake(
        "a label outside num_classes",
        _label(_with_voxel(7, "uint8")),
        (_LABEL, "7 (1 voxels)", "the whole numbers 0 to 3", "num_classes"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "a label between two classes",
        _label(_with_voxel(1.5, "float32")),
        (_LABEL, "1.5", "whole numbers"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "a negative label",
        _label(_with_voxel(-1, "int16")),
        (_LABEL, "-1", "0 to 3"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "image and label of different shape",
        _label(lambda voxels: voxels[:-2]),
        (_LABEL, "shape", "image"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "image and label at different places",
        _shift,
        (_LABEL, "40", "mm"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "a 4D image for a 3D one",
        _image(lambda voxels: np.stack([voxels, voxels], axis=-1)),
        (_IMAGE, "2 channels", "4D", "output_image_channels"),
    ),
    Mistake(
        "a 4D image for a network of one channel",
        _image(lambda voxels: np.stack([voxels, voxels], axis=-1)),
        ("abdomen_005", "2 channels", "expected 1"),
        ("evaluate", "infer"),
        may_change=_EVAL,
    ),
    Mistake(
        "a 4D label",
        _label(lambda voxels: np.stack([voxels, voxels], axis=-1)),
        (_LABEL, "2 channels"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "NaN in an image",
        _image(_with_voxel(np.nan, "float32")),
        (_IMAGE, "1 voxels that are NaN or infinite", "(2, 3, 4)", "in their place"),
        _ALL,
        may_change=_EVAL,
    ),
    Mistake(
        "NaN in a label",
        _label(_with_voxel(np.nan, "float32")),
        (_LABEL, "NaN or infinite"),
        _JUDGE,
        may_change=_EVAL,
    ),
    Mistake(
        "voxels of no size",
        _no_size,
        (_IMAGE, "affine", "sform or qform"),
        _ALL,
        may_change=_EVAL,
    ),
    Mistake(
        "data elsewhere than the environment says",
        all_of(put("DATA_ROOT", ".", ENVIRONMENT)),
        ("dataset.json", "training[0].image", "no file", "--set DATA_ROOT=FOLDER"),
    ),
)
