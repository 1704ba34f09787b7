"""How much of a training step is spent waiting for data, with 2 workers, against data that is in memory already.

Two real trainings, by ``vesalia``'s own loop, epoch boundaries included: the hippocampus example, and a Unet on crops
of 96 x 96 x 96. Each runs with its pipeline and once more with the very same batches taken from memory. ``ratio`` is
the larger waiting share of the two, as the loop's own clock has it; what a step takes longer than from memory is told
beside it: on a CPU, workers and network share the cores.

    python benchmarks/waiting_share.py [DATA_FOLDER] [--quick]

DATA_FOLDER is MSD Task04; without it, volumes of its size are made.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from side_by_side import report, say
from stand_ins import TINY_UNET, archive_like, blocks, crop_chain, hippocampus_like, listed

from vesalia.api import Archive
from vesalia.pipelines.batching import Batch
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.training.listener import EpochReport, Listener, StepReport

GOAL = 0.02
SETTING = {"num_workers": 2}
CROP = [96, 96, 96]


@dataclass
class Ears(Listener):
    """What a training tells of its steps; the first epoch, in which everything is new, is left out."""

    steps: list[float] = field(default_factory=list)
    epochs: list[tuple[float, float]] = field(default_factory=list)
    _before: float = 0.0

    def stepped(self, report: StepReport) -> None:
        """Take the time."""
        now = time.perf_counter()
        if report.epoch > 1 and self._before:
            self.steps.append(now - self._before)
        self._before = now

    def epoch_ended(self, report: EpochReport) -> None:
        """Take waiting and all."""
        if report.epoch > 1:
            self.epochs.append((report.waiting_share * report.seconds, report.seconds))

    @property
    def waiting_share(self) -> float:
        """Of all epochs together."""
        return sum(waited for waited, _ in self.epochs) / sum(seconds for _, seconds in self.epochs)


@contextlib.contextmanager
def from_memory() -> Iterator[None]:
    """Have pipelines give the batches of their first epoch again and again."""
    real, kept = BoundPipeline.epoch, list[Batch]()

    def epoch(self: BoundPipeline, index: int, **_: Any) -> Generator[Batch, None, None]:
        if not kept:
            kept.extend(real(self, index))
        yield from kept

    with mock.patch.object(BoundPipeline, "epoch", epoch):
        yield


def unet_archive(folder: Path, *, quick: bool) -> tuple[Path, Path]:
    """A Unet on crops of 96 voxels of CT-like volumes that are cached; and its data list."""
    side, crop, items = (24, [16] * 3, 4) if quick else (144, CROP, 8)
    network = {"num_classes": 2, "nf_enc": "16,32,32,32", "nf_dec": "32,32,32,32,32,16,16"}
    train = {
        "model": TINY_UNET if quick else {"name": "Unet", "args": network},
        "pre_transforms": crop_chain(crop, crops=2),
        "batch_transforms": [{"name": "MergeBatchDims", "args": {"fields": ["image", "label"]}}],
    }
    pipeline = {"output_crop_size": crop, "output_batch_size": 1, "num_cache_objects": items, **SETTING}
    data = listed(folder, {"training": blocks(folder, items, (side,) * 3)})
    return archive_like(folder / "unet", train=train, pipeline=pipeline, validate=None), data


def train(archive: Path, data: Path, *, epochs: int) -> Ears:
    """Train a few epochs without validation; what was heard."""
    ears = Ears()
    with tempfile.TemporaryDirectory() as folder:
        values = {"DATA_ROOT": data.parent, "DATASET_JSON": data, "MMAR_CKPT_DIR": folder, "epochs": epochs}
        Archive(archive).train(overrides=values, seed=0, listener=ears)
    return ears


def measure(archive: Path, data: Path, *, epochs: int, rounds: int) -> dict[str, float]:
    """Both sides in turns."""
    real, memory, shares = [], [], []
    for _ in range(rounds):
        ears = train(archive, data, epochs=epochs)
        real += ears.steps
        shares.append(ears.waiting_share)
        with from_memory():
            memory += train(archive, data, epochs=epochs).steps
    steps = (statistics.median(real), statistics.median(memory))
    return {
        "waiting_share": statistics.median(shares),
        "step_s": steps[0],
        "step_from_memory_s": steps[1],
        "longer": steps[0] / steps[1] - 1,
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--quick", action="store_true", help="small and few, to see that it runs")
    asked = parser.parse_args()
    quick = asked.quick
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = 4 if quick else 80
        data = asked.data.resolve() / "dataset.json" if asked.data else None
        data = data or hippocampus_like(folder / "data", training=count, validation=2)
        smaller = {"model": TINY_UNET} if quick else {}
        example = archive_like(folder / "hippocampus", train=smaller, pipeline=SETTING, validate=None)
        trainings = {"hippocampus": (example, data), "unet": unet_archive(folder, quick=quick)}
        for title, (archive, listed_data) in trainings.items():
            epochs = 2 if quick else 3
            found[title] = measure(archive, listed_data, epochs=epochs, rounds=1 if quick else 2)
            say(
                f"{title:>12}: waiting {found[title]['waiting_share']:.2%} of the time; a step takes "
                f"{found[title]['step_s']:.3f} s, from memory {found[title]['step_from_memory_s']:.3f} s"
            )
    worst = max(found.values(), key=lambda each: each["waiting_share"])
    figures = {"ratio": worst["waiting_share"], "goal": GOAL}
    times = {name: worst[name] for name in ("step_s", "step_from_memory_s")}
    report("waiting_share", {**figures, **times, **found}, keep=not quick)


if __name__ == "__main__":
    main()
