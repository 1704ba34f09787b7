"""Seconds until a cache is full: MONAI's CacheDataset, Vesalia's first start, and its second with a cache on disk.

32 CT-sized volumes (512 x 512 x 60, int16, gzip) with labels, all different; loading, a channel axis, a window of
densities. Both sides use 2 threads, and the files are in memory already (the first round is not counted). MONAI:
CacheDataset with LoadImaged, EnsureChannelFirstd, ScaleIntensityRanged. Vesalia: a
SegmentationImagePipelineWithCache with the same steps and a crop behind them, for which it lists the foreground, too.
The second start compares all files with what the disk holds, by their contents.

``ratio`` is MONAI's time over that of the first start, ``ratio_second_start`` over that of the second.

    python benchmarks/start_up.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from monai.data import CacheDataset
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged, ScaleIntensityRanged
from side_by_side import in_turns, report, say
from stand_ins import listed

from vesalia.imaging.gzipped import create
from vesalia.pipelines.cached import RunSettings
from vesalia.pipelines.order import WHOLE, Shard
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache
from vesalia.transforms.crop.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from vesalia.transforms.crop.merge_batch_dims import MergeBatchDims
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst

GOALS = {"first": 3.0, "second": 20.0}
FIELDS = ["image", "label"]
WORKERS = 2


def volumes(folder: Path, count: int, shape: tuple[int, int, int]) -> list[dict[str, str]]:
    """Files of ``count`` different subjects, and their entries: a body in air, noise, a label of one organ."""
    random = np.random.default_rng(0)
    grid = np.meshgrid(*(np.linspace(-1, 1, length, dtype=np.float32) for length in shape), indexing="ij", sparse=True)
    distance = sum(axis**2 for axis in grid)
    body = np.where(distance < 1.1, 40, -1000) + random.normal(0, 12, shape).round()
    entries = []
    for number in range(count):
        label = (np.roll(distance, number, axis=0) < 0.1).astype(np.uint8)
        image = np.roll(body, 3 * number, axis=1) + 120 * label
        entry = {name: f"{name}_{number}.nii.gz" for name in FIELDS}
        for name, data in zip(FIELDS, (image.astype(np.int16), label), strict=True):
            with create(folder / entry[name], compressed=True) as stream:
                nib.Nifti1Image(data, np.diag([0.8, 0.8, 5.0, 1.0])).to_stream(stream)
        entries.append(entry)
    return entries


def bind(data: Path, count: int, *, run: RunSettings | None = None, shard: Shard = WHOLE) -> BoundPipeline:
    """Our pipeline over the files, its cache empty."""
    pipeline = SegmentationImagePipelineWithCache(
        str(data),
        str(data.parent),
        data_list_key="training",
        output_crop_size=[96] * 3,
        num_cache_objects=count,
        replace_percent=0.0,
        output_batch_size=2,
        num_workers=WORKERS,
        prefetch_size=4,
    )
    return pipeline.bind(
        transforms=[
            LoadNifti(FIELDS),
            ConvertToChannelsFirst(FIELDS),
            ScaleIntensityRange("image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
            FastCropByPosNegRatio([16, 16, 8], "image", batch_size=4),
        ],
        batch_transforms=[MergeBatchDims(FIELDS)],
        seed=0,
        num_classes=2,
        shard=shard,
        run=run,
    )


def vesalia_side(data: Path, count: int, *, persist: Path | None = None) -> Callable[[], None]:
    """Fill a cache, and let go of it."""

    def fill() -> None:
        with bind(data, count, run=RunSettings(persist=persist)) as pipeline:
            pipeline.fill()

    return fill


def monai_side(folder: Path, entries: Sequence[dict[str, str]]) -> Callable[[], object]:
    """Fill MONAI's cache."""
    items: list[dict[str, Any]] = [{name: str(folder / file) for name, file in entry.items()} for entry in entries]
    window = ScaleIntensityRanged("image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True)
    chain = Compose([LoadImaged(FIELDS), EnsureChannelFirstd(FIELDS), window])
    return lambda: CacheDataset(items, chain, num_workers=WORKERS, progress=False)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    count, shape, repeats = (3, (32, 32, 8), 1) if asked.quick else (32, (512, 512, 60), 3)
    with tempfile.TemporaryDirectory() as name:
        folder, kept = Path(name), Path(name) / "kept"
        entries = volumes(folder, count, shape)
        data = listed(folder, {"training": entries})
        sides = {
            "MONAI": monai_side(folder, entries),
            "first": vesalia_side(data, count),
            "second": vesalia_side(data, count, persist=kept),
        }
        seconds = in_turns(sides, repeats=repeats)
        disk_mb = sum(file.stat().st_size for file in kept.iterdir()) / 1e6
        shutil.rmtree(kept)
    ratios = {name: seconds["MONAI"] / seconds[name] for name in GOALS}
    for name, taken in seconds.items():
        say(f"{name:>8}: {taken:8.2f} s")
    say(f"first start {ratios['first']:.1f} times as fast (goal: {GOALS['first']:.0f}), ")
    say(f"second start {ratios['second']:.1f} times (goal: {GOALS['second']:.0f}), from {disk_mb:.0f} MB on disk")
    figures = {"ratio": ratios["first"], "ratio_second_start": ratios["second"], "goals": GOALS}
    figures |= {"vesalia_s": seconds["first"], "monai_s": seconds["MONAI"], "vesalia_second_s": seconds["second"]}
    report("start_up", {**figures, "volumes": count, "disk_mb": round(disk_mb)}, keep=not asked.quick)


if __name__ == "__main__":
    main()
