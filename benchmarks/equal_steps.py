"""Dice after equal optimizer steps: volumes loaded anew each time (None) against BT + Cache V3.

MSD Task04 with the network, loss and rate of the example. Both sides take the same crops per step (4), cut alike around
foreground and background; None from four volumes, V3 two from each of two cached ones. The rate falls to 0 over
the steps, each side is trained with the same seeds, the model it ends with is judged on the 40 validation cases.
Two trainings of one side differ by their seeds alone; that spread is told, too.

``ratio`` is the mean Dice of V3 over that of None; ``difference`` is to stay within 0.005.

    python benchmarks/equal_steps.py [DATA_FOLDER] [--steps 240] [--seeds 3] [--quick]

Without DATA_FOLDER volumes of that size are made, in which the task is easy.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from side_by_side import report, say
from stand_ins import TINY_UNET, archive_like, hippocampus_like

from vesalia.api import Archive
from vesalia.runtime.jsonfile import read_json
from vesalia.training.listener import Listener, ValidationReport

GOAL = 0.005
CROP = [32, 48, 32]
BATCH, CROPS = 4, 2


class Last(Listener):
    """The last validation's key metric."""

    dice = 0.0

    def validated(self, report: ValidationReport) -> None:
        """Remember it."""
        self.dice = report.value


def archive_of(side: str, folder: Path, *, steps: int, items: int, quick: bool) -> Path:
    """The example's archive in one of the two forms, with as many epochs as make the steps."""
    both = {"fields": ["image", "label"]}
    v3 = side == "v3"
    crop: dict[str, Any] = (
        {"name": "FastCropByPosNegRatio", "args": {"size": CROP, "fields": "image", "batch_size": CROPS}}
        if v3
        else {"name": "FastPosNegRatioCropROI", "args": {"size": CROP}}
    )
    chain = [
        {"name": "LoadNifti", "args": both},
        {"name": "ConvertToChannelsFirst", "args": both},
        {"name": "NormalizeNonzeroIntensities", "args": {"fields": "image"}},
        crop,
        {"name": "RandomSpatialFlip", "args": both},
        {"name": "ScaleShiftIntensity", "args": {"fields": "image", "scale": 0.2, "shift": 0.2}},
    ]
    merge = [{"name": "MergeBatchDims", "args": both}] if v3 else []
    volumes = BATCH // CROPS if v3 else BATCH
    pipeline = {
        "name": "SegmentationImagePipelineWithCache" if v3 else "SegmentationImagePipeline",
        "output_batch_size": volumes,
        "num_cache_objects": items if v3 else None,
        "replace_percent": 0.0 if v3 else None,
    }
    epochs = max(1, round(steps / -(-items // volumes)))
    train = {"pre_transforms": chain, "batch_transforms": merge, **({"model": TINY_UNET} if quick else {})}
    return archive_like(
        folder / side, train=train, pipeline=pipeline, epochs=epochs, num_training_epoch_per_valid=epochs
    )


def train(archive: Path, data: Path, *, seed: int) -> tuple[float, int, float]:
    """Dice at the end, steps, seconds."""
    last, began = Last(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        values = {"DATA_ROOT": data.parent, "DATASET_JSON": data, "MMAR_CKPT_DIR": folder}
        result = Archive(archive).train(overrides=values, seed=seed, listener=last)
    return last.dice, result.steps, time.perf_counter() - began


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    steps, seeds = (4, 1) if asked.quick else (asked.steps, asked.seeds)
    found: dict[str, list[float]] = {"none": [], "v3": []}
    taken: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = {"training": 8, "validation": 2} if asked.quick else {"training": 160, "validation": 40}
        data = asked.data.resolve() / "dataset.json" if asked.data else hippocampus_like(folder / "data", **made)
        items = len(read_json(data)["training"])
        archives = {side: archive_of(side, folder, steps=steps, items=items, quick=asked.quick) for side in found}
        for seed in range(seeds):
            for side, archive in archives.items():
                dice, taken[side], seconds = train(archive, data, seed=seed)
                found[side].append(dice)
                say(f"seed {seed}, {side:>4}: Dice {dice:.4f} after {taken[side]} steps, {seconds:.0f} s")
    assert len(set(taken.values())) == 1, f"steps differ: {taken}"
    means = {side: statistics.mean(values) for side, values in found.items()}
    difference = means["v3"] - means["none"]
    say(f"mean Dice {means['none']:.4f} (None), {means['v3']:.4f} (BT + Cache V3); difference {difference:+.4f}")
    figures = {
        "ratio": means["v3"] / max(means["none"], 1e-9),
        "difference": difference,
        "none_dice": means["none"],
        "v3_dice": means["v3"],
        "spread": max(max(values) - min(values) for values in found.values()),
        "goal": GOAL,
    }
    report("equal_steps", {**figures, "dice": found, "steps": taken["v3"], "seeds": seeds}, keep=not asked.quick)


if __name__ == "__main__":
    main()
