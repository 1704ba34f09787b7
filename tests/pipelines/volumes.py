"""Small CT-like files with a data list, and pipelines over them, that the tests of caches share."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch

from vesalia.pipelines.cached import RunSettings
from vesalia.pipelines.datalist import DataItem
from vesalia.pipelines.items import PreparedItems
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache
from vesalia.transforms.base import Transform
from vesalia.transforms.compose import Compose
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio
from vesalia.transforms.crop.merge_batch_dims import MergeBatchDims
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.intensity.scale_shift_intensity import ScaleShiftIntensity
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip

__all__ = ["BOTH", "SHAPE", "augmenting", "bound", "loading", "prepared_items", "same", "write_volumes"]

BOTH = ["image", "label"]
SHAPE = (14, 12, 10)


def write_volumes(folder: Path, count: int, *, kind: str = "int16", shape: Sequence[int] = SHAPE) -> Path:
    """``count`` subjects as compressed NIfTI, and their list."""
    dice = np.random.default_rng(count)
    for number in range(count):
        label = np.zeros(shape, np.uint8)
        label[4:8, 3:7, 2 + number % 3 : 6] = 1
        image = (dice.normal(0, 300, shape) + 100 * label).astype(kind)
        affine = np.diag([0.8, 0.8, 2.0, 1.0])
        nib.save(nib.Nifti1Image(image, affine), folder / f"image{number}.nii.gz")
        nib.save(nib.Nifti1Image(label, affine), folder / f"label{number}.nii.gz")
    entries = [{name: f"{name}{number}.nii.gz" for name in BOTH} for number in range(count)]
    (folder / "list.json").write_text(json.dumps({"training": entries}))
    return folder / "list.json"


def loading() -> list[Transform[Any]]:
    """What can be cached."""
    window = ScaleIntensityRange("image", a_min=-200, a_max=300, b_min=0.0, b_max=1.0, clip=True)
    return [LoadNifti(BOTH), ConvertToChannelsFirst(BOTH), window]


def augmenting() -> list[Transform[Any]]:
    """What is drawn anew."""
    crop = CropByPosNegRatio([8, 8, 6], "image", label_field="label", batch_size=2)
    return [crop, RandomSpatialFlip(BOTH), ScaleShiftIntensity("image")]


def bound(
    listed: Path,
    transforms: Sequence[Transform[Any]] | None = None,
    *,
    run: RunSettings | None = None,
    **args: Any,
) -> BoundPipeline:
    """A pipeline with a cache over a list of :func:`write_volumes`."""
    values: dict[str, Any] = {
        "data_list_key": "training", "output_crop_size": [8, 8, 6], "num_cache_objects": 9, "replace_percent": 0.0,
        "output_batch_size": 2, "num_workers": 0, **args,
    }  # fmt: skip
    pipeline = SegmentationImagePipelineWithCache(str(listed), str(listed.parent), **values)
    chain = [*loading(), *augmenting()] if transforms is None else transforms
    merges = [MergeBatchDims(BOTH)] if transforms is None else []
    return pipeline.bind(transforms=chain, batch_transforms=merges, seed=7, num_classes=2, run=run)


def prepared_items(folder: Path, count: int, *, written: bool = False) -> PreparedItems:
    """The items of :func:`write_volumes`, loaded and scaled; the files are there already if ``written``."""
    if not written:
        write_volumes(folder, count)
    files = [{name: (folder / f"{name}{number}.nii.gz",) for name in BOTH} for number in range(count)]
    listed = [DataItem(f"case{number}", each, raw={}) for number, each in enumerate(files)]
    prepare = Compose(augmenting()[:1]).prepare
    return PreparedItems(listed, prefix=Compose(loading()), prepare=prepare, seed=1, num_classes=2)


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two batches hold the same."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
