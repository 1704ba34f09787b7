"""How busy the GPU is while a network is trained: the share of time in which it computes.

The hippocampus example, and a SegResnet on crops of 96 x 96 x 96; each with the cache in the memory of the host and in
that of the GPU. Torch's profiler says when kernels ran over some steps in the middle of the training. ``ratio`` is the
smallest share, to be at least 0.95; without a GPU it is null.

    python benchmarks/gpu_busy.py [DATA_FOLDER] [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from side_by_side import report, say
from stand_ins import archive_like, blocks, crop_chain, hippocampus_like, listed
from torch.profiler import ProfilerActivity, profile

from vesalia.api import Archive
from vesalia.training.listener import Listener, StepReport

GOAL = 0.95
WARM = 30
CROP = [96, 96, 96]


class Busy(Listener):
    """Profiles some steps after the first ones."""

    def __init__(self, steps: int, *, warm: int = WARM) -> None:
        self.share = 0.0
        self._first, self._last = warm, warm + steps
        self._profiler: profile | None = None
        self._began = 0.0

    def stepped(self, report: StepReport) -> None:
        """Begin and end."""
        if report.step == self._first:
            torch.cuda.synchronize()
            self._profiler = profile(activities=[ProfilerActivity.CUDA])
            self._profiler.start()
            self._began = time.perf_counter()
        elif report.step == self._last and self._profiler:
            torch.cuda.synchronize()
            seconds = time.perf_counter() - self._began
            self._profiler.stop()
            events = self._profiler.events() or []
            kernels = [event.time_range for event in events if event.device_type.name == "CUDA"]
            self.share = covered((span.start, span.end) for span in kernels) / 1e6 / seconds


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of spans."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def segresnet(folder: Path, *, quick: bool) -> tuple[dict[str, Any], Path]:
    """A SegResnet on crops of 96 voxels: the train section, and the data."""
    side, items = (32, 4) if quick else (160, 16)
    crop = [16] * 3 if quick else CROP
    network = {"num_classes": 2, "init_filters": 8, "blocks_down": "1,2,2,4", "blocks_up": "1,1,1"}
    section = {
        "model": {"name": "SegResnet", "args": network},
        "pre_transforms": crop_chain(crop, crops=2),
        "batch_transforms": [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}],
    }
    return section, listed(folder, {"training": blocks(folder, items, (side,) * 3)})


def share(archive: Path, data: Path, *, steps: int) -> float:
    """The busy share of a training."""
    busy = Busy(steps)
    with tempfile.TemporaryDirectory() as folder:
        values = {"DATA_ROOT": data.parent, "DATASET_JSON": data, "MMAR_CKPT_DIR": folder}
        Archive(archive).train(overrides=values, seed=0, device="cuda", listener=busy)
    return busy.share


def measure(folder: Path, data: Path | None, *, quick: bool) -> dict[str, dict[str, float]]:
    """The busy share of both trainings, with the cache here and there."""
    steps = 5 if quick else 100
    data = data or hippocampus_like(folder / "data", training=8 if quick else 160, validation=2)
    section, volumes = segresnet(folder, quick=quick)
    crop = [16] * 3 if quick else CROP
    trainings: dict[str, tuple[Path, dict[str, Any], dict[str, Any]]] = {
        "hippocampus": (data, {}, {}),
        "segresnet": (volumes, section, {"output_crop_size": crop, "output_batch_size": 2}),
    }
    found: dict[str, dict[str, float]] = {}
    for name, (listed_data, train, pipeline) in trainings.items():
        for device in ("cpu", "cuda"):
            archive = archive_like(
                folder / f"{name}_{device}",
                train=train,
                pipeline={**pipeline, "num_workers": 4, "cache_device": device, "num_cache_objects": 160},
                validate=None,
                epochs=(WARM + steps) // 2,
            )
            found.setdefault(name, {})[device] = share(archive, listed_data, steps=steps)
            say(f"{name:>12}, cache on {device:>4}: busy {found[name][device]:.1%}")
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        say("there is no GPU here that torch can use: nothing was measured; run it where there is one")
        report("gpu_busy", {"ratio": None, "goal": GOAL, "busy": None}, keep=False)
        return
    with tempfile.TemporaryDirectory() as folder:
        data = asked.data.resolve() / "dataset.json" if asked.data else None
        found = measure(Path(folder), data, quick=asked.quick)
    smallest = min(value for shares in found.values() for value in shares.values())
    report("gpu_busy", {"ratio": smallest, "goal": GOAL, "busy": found}, keep=not asked.quick)


if __name__ == "__main__":
    main()
