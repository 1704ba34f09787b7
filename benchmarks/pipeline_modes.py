"""Delivered crops per second in five modes, as in NVIDIA's table: None, BT, Cache, BT + Cache in V2 and in V3 form.

32 CT-sized volumes (512 x 512 x 60, int16, gzip; 4 files, each listed 8 times and loaded each time), resampled to 1
mm, intensities scaled; crops of 96 x 96 x 96 around foreground and background, flips, an intensity change: the chain
of v3's spleen archives. Every mode delivers the same number of crops; BT takes four of a volume. No network: this is
what the data can give. Caches are filled before, and what that takes is told beside it.

``ratio`` is V3 over None. ``--native`` leaves the resampling out.

    python benchmarks/pipeline_modes.py [--quick] [--native]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from side_by_side import report, say
from stand_ins import blocks, listed

from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.pipelines.segmentation import SegmentationImagePipeline
from vesalia.pipelines.segmentation_with_cache import SegmentationImagePipelineWithCache
from vesalia.transforms.base import Transform
from vesalia.transforms.crop.fast_crop_by_pos_neg_ratio import FastCropByPosNegRatio
from vesalia.transforms.crop.fast_pos_neg_ratio_crop_roi import FastPosNegRatioCropROI
from vesalia.transforms.crop.merge_batch_dims import MergeBatchDims
from vesalia.transforms.intensity.scale_intensity_oscillation import ScaleIntensityOscillation
from vesalia.transforms.intensity.scale_intensity_range import ScaleIntensityRange
from vesalia.transforms.load.load_nifti import LoadNifti
from vesalia.transforms.spatial.convert_to_channels_first import ConvertToChannelsFirst
from vesalia.transforms.spatial.random_axis_flip import RandomAxisFlip
from vesalia.transforms.spatial.scale_by_resolution import ScaleByResolution

GOAL = 54.0
FIELDS = ["image", "label"]
CROPS = 4
MODES = ("None", "BT", "Cache", "BT + Cache V2", "BT + Cache V3")


@dataclass(frozen=True)
class Size:
    """How large everything is."""

    files: int
    items: int
    shape: tuple[int, int, int]
    crop: int
    rounds: int


FULL = Size(files=4, items=32, shape=(512, 512, 60), crop=96, rounds=5)
QUICK = Size(files=2, items=4, shape=(48, 48, 16), crop=16, rounds=1)


def bind(mode: str, data: Path, size: Size, *, native: bool) -> BoundPipeline:
    """The pipeline of a mode."""
    cached, by_transforms = "Cache" in mode, mode in {"BT", "BT + Cache V2"}
    several = "BT" in mode
    cut = [size.crop] * 3
    crop: Transform[Any] = (
        FastCropByPosNegRatio(cut, "image", batch_size=CROPS) if several else FastPosNegRatioCropROI(cut)
    )
    resample: list[Transform[Any]] = [
        ScaleByResolution("image", target_resolution=(1, 1, 1)),
        ScaleByResolution("label", target_resolution=(1, 1, 1), is_label=True),
    ]
    chain: list[Transform[Any]] = [
        LoadNifti(FIELDS),
        ConvertToChannelsFirst(FIELDS),
        *([] if native else resample),
        ScaleIntensityRange("image", a_min=-57, a_max=164, b_min=0.0, b_max=1.0, clip=True),
        crop,
        RandomAxisFlip(FIELDS, probability=0.5),
        ScaleIntensityOscillation("image", magnitude=0.2),
    ]
    how: dict[str, Any] = {
        "data_list_key": "training",
        "output_crop_size": cut,
        "output_batch_size": 0 if by_transforms else (2 if mode == "BT + Cache V3" else CROPS),
        "batched_by_transforms": by_transforms,
        "num_workers": 2,
        "prefetch_size": 4,
    }
    if cached:
        how |= {"num_cache_objects": size.items, "replace_percent": 0.0}
    kind = SegmentationImagePipelineWithCache if cached else SegmentationImagePipeline
    batch_transforms = [MergeBatchDims(FIELDS)] if mode == "BT + Cache V3" else []
    return kind(str(data), str(data.parent), **how).bind(transforms=chain, batch_transforms=batch_transforms, seed=0)


def deliver(pipeline: BoundPipeline, crops: int, *, epoch: int) -> tuple[int, int]:
    """Take at least ``crops`` crops from ``epoch`` on; returns how many came, and the next epoch."""
    taken = given = 0
    while taken < crops:  # nothing is begun that a later round would be given
        for batch in pipeline.epoch(epoch, another=given > 0 and taken + given < crops):
            image = batch.fields["image"]
            float(image[-1, 0, -1, -1, -1])  # so that it must be there
            taken += len(image)
        given = given or taken
        pipeline.report_epoch_end()
        epoch += 1
    return taken, epoch


def measure(mode: str, data: Path, size: Size, *, native: bool) -> dict[str, float]:
    """Crops per second of a mode, the median of some rounds, and what filling took."""
    crops = size.items * CROPS
    with bind(mode, data, size, native=native) as pipeline:
        began = time.perf_counter()
        pipeline.fill()
        filled = time.perf_counter() - began
        cached = "Cache" in mode
        epoch, speeds = 0, []
        if cached:  # code is compiled in the first round
            _, epoch = deliver(pipeline, crops, epoch=epoch)
        for _ in range(size.rounds if cached else ceil(size.rounds / 3)):
            began = time.perf_counter()
            taken, epoch = deliver(pipeline, crops, epoch=epoch)
            speeds.append(taken / (time.perf_counter() - began))
    return {"crops_per_s": statistics.median(speeds), "fill_s": filled}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    parser.add_argument("--native", action="store_true", help="without resampling")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        entries = blocks(Path(folder), size.files, size.shape, spacing_mm=(0.8, 0.8, 3.0))
        data = listed(Path(folder), {"training": [entries[place % size.files] for place in range(size.items)]})
        found = {}
        for mode in MODES:
            found[mode] = measure(mode, data, size, native=asked.native)
            times = found[mode]["crops_per_s"] / found["None"]["crops_per_s"]
            filled = f", filled in {found[mode]['fill_s']:.1f} s" if "Cache" in mode else ""
            say(f"{mode:>14}: {found[mode]['crops_per_s']:8.2f} crops/s, {times:6.1f} times None{filled}")
    none, best = (found[mode]["crops_per_s"] for mode in ("None", "BT + Cache V3"))
    figures = {"ratio": best / none, "v3_crops_per_s": best, "none_crops_per_s": none, "goal": GOAL}
    name = "pipeline_modes_native" if asked.native else "pipeline_modes"
    report(
        name,
        {**figures, "modes": found, "items": size.items, "files": size.files, "crop": size.crop},
        keep=not asked.quick,
    )


if __name__ == "__main__":
    main()
