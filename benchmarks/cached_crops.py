"""Cached crops per second: Vesalia's pipeline with cache against MONAI's, both with everything in memory.

Volumes of 256 x 256 x 128 with a label; crops of 96 x 96 x 96 around foreground and background (4 per volume), flips,
one change of intensity. Vesalia flips along three axes, MONAI along two. MONAI: CacheDataset with
RandCropByPosNegLabeld(num_samples=4), foreground indices computed before, metadata off, the best of DataLoader with 0
and 2 persistent workers and ThreadDataLoader. ``ratio`` is against CacheDataset as it comes, which copies an item
each time it is asked for; ``ratio_without_copy`` against ``copy_cache=False``, which this chain allows and few know
of. Vesalia: a SegmentationImagePipelineWithCache with 2 workers, from files that the script writes; its cache is
filled before. A turn is several epochs, one after the other as a training asks.

    python benchmarks/cached_crops.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from monai.data import CacheDataset, DataLoader, ThreadDataLoader, set_track_meta
from monai.transforms import (
    Compose,
    FgBgToIndicesd,
    RandCropByPosNegLabeld,
    RandFlipd,
    RandScaleIntensityd,
)
from side_by_side import in_turns, report, say

from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache
from vesalia.transforms.crop.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from vesalia.transforms.crop.merge_batch_dims import MergeBatchDims
from vesalia.transforms.intensity.scale_shift_intensity import ScaleShiftIntensity
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.random_spatial_flip import RandomSpatialFlip

GOAL = 10.0
FIELDS = ["image", "label"]
CROPS = 4
EPOCHS = 10
"""Epochs of a turn."""
NO_COPY = ", no copy"


def volumes(count: int, shape: tuple[int, int, int]) -> list[dict[str, np.ndarray]]:
    """Images of noise in int16 and labels with one block."""
    random = np.random.default_rng(0)
    made: list[dict[str, np.ndarray]] = []
    for _ in range(count):
        label = np.zeros(shape, np.uint8)
        label[tuple(slice(length // 4, length // 2) for length in shape)] = 1
        made.append({"image": random.normal(0, 200, shape).astype(np.int16), "label": label})
    return made


def write_files(folder: Path, made: list[dict[str, np.ndarray]]) -> Path:
    """The volumes as NIfTI with a data list."""
    entries = []
    for number, fields in enumerate(made):
        entry = {name: f"{name}{number}.nii" for name in FIELDS}
        for name in FIELDS:
            nib.save(nib.Nifti1Image(fields[name], np.eye(4)), folder / entry[name])
        entries.append(entry)
    listed = folder / "dataset.json"
    listed.write_text(json.dumps({"training": entries}))
    return listed


def vesalia_side(listed: Path, *, items: int, batch: int, size: int) -> Callable[[], int]:
    """A turn of our pipeline, which gives the number of crops; nothing of the next turn is begun in it."""
    pipeline = SegmentationImagePipelineWithCache(
        str(listed),
        str(listed.parent),
        data_list_key="training",
        output_crop_size=[size] * 3,
        num_cache_objects=items,
        replace_percent=0.0,
        output_batch_size=batch,
        num_workers=2,
        prefetch_size=4,
    ).bind(
        transforms=[
            LoadNifti(FIELDS),
            ConvertToChannelsFirst(FIELDS),
            FastCropByPosNegRatio([size] * 3, "image", batch_size=CROPS),
            RandomSpatialFlip(FIELDS, probability=0.5),
            ScaleShiftIntensity("image", scale=0.1, shift=0.0),
        ],
        batch_transforms=[MergeBatchDims(FIELDS)],
        seed=0,
    )
    pipeline.fill()
    epochs = itertools.count()

    def turn() -> int:
        return sum(
            count_crops(batch.fields for batch in pipeline.epoch(next(epochs), another=left > 0))
            for left in reversed(range(EPOCHS))
        )

    return turn


def monai_sides(made: list[dict[str, np.ndarray]], *, batch: int, size: int) -> dict[str, Callable[[], int]]:
    """Turns of MONAI's loaders."""
    set_track_meta(False)
    items = [
        {
            "image": torch.from_numpy(each["image"][None].astype(np.float32)),
            "label": torch.from_numpy(each["label"][None]),
        }
        for each in made
    ]
    keys: dict[str, Any] = {"fg_indices_key": "label_fg_indices", "bg_indices_key": "label_bg_indices"}
    crop = RandCropByPosNegLabeld(FIELDS, "label", [size] * 3, num_samples=CROPS, **keys)
    flips = [RandFlipd(FIELDS, 0.5, axis) for axis in (0, 1)]
    chain = Compose([FgBgToIndicesd("label"), crop, *flips, RandScaleIntensityd("image", 0.1, 1.0)])
    cached = CacheDataset(items, chain, progress=False)
    shared = CacheDataset(items, chain, progress=False, copy_cache=False)
    how: dict[str, Any] = {"batch_size": batch, "shuffle": True}
    loaders: dict[str, Iterable[Any]] = {
        "MONAI, 0 workers": DataLoader(cached, num_workers=0, **how),
        "MONAI, 2 workers": DataLoader(cached, num_workers=2, persistent_workers=True, **how),
        "MONAI, thread": ThreadDataLoader(cached, num_workers=0, buffer_size=2, **how),
        f"MONAI, 0 workers{NO_COPY}": DataLoader(shared, num_workers=0, **how),
        f"MONAI, 2 workers{NO_COPY}": DataLoader(shared, num_workers=2, persistent_workers=True, **how),
        f"MONAI, thread{NO_COPY}": ThreadDataLoader(shared, num_workers=0, buffer_size=2, **how),
    }
    return {name: partial(several, loader) for name, loader in loaders.items()}


def several(loader: Iterable[Any]) -> int:
    """The crops of a turn."""
    return sum(count_crops(loader) for _ in range(EPOCHS))


def count_crops(batches: Iterable[Any]) -> int:
    """How many crops were delivered; each batch is looked at, so that it must be there."""
    count = 0
    for batch in batches:
        float(batch["image"][-1, 0, -1, -1, -1])
        count += len(batch["image"])
    return count


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    count, shape, size, repeats = (2, (40, 40, 32), 16, 1) if asked.quick else (8, (256, 256, 128), 96, 5)
    made = volumes(count, shape)
    crops = count * CROPS * EPOCHS
    with tempfile.TemporaryDirectory() as folder:
        listed = write_files(Path(folder), made)
        sides = {"Vesalia": vesalia_side(listed, items=count, batch=2, size=size)}
        sides |= monai_sides(made, batch=2, size=size)
        seconds = in_turns(sides, repeats=repeats)
    speeds = {name: crops / value for name, value in seconds.items()}
    for name, speed in speeds.items():
        say(f"{name:>25}: {speed:8.1f} crops/s")
    ours = speeds.pop("Vesalia")
    best = max(speed for name, speed in speeds.items() if not name.endswith(NO_COPY))
    uncopied = max(speeds.values())
    say(f"{ours / best:.1f} times as many (goal: {GOAL:.0f}); {ours / uncopied:.1f} times where MONAI copies nothing")
    figures = {"ratio": ours / best, "vesalia_crops_per_s": ours, "monai_crops_per_s": best, "goal": GOAL}
    figures |= {"ratio_without_copy": ours / uncopied, "monai_crops_per_s_without_copy": uncopied}
    report("cached_crops", {**figures, "crops_per_s": speeds}, keep=not asked.quick)


if __name__ == "__main__":
    main()
