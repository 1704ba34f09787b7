"""Inference on a large volume with many classes: Vesalia decides windows as they come; MONAI blends, then decides.

A dummy network (three small convolutions, then one of a single voxel that makes the classes, softmax) goes over a
volume with windows of 96 x 96 x 96 at an overlap of a quarter, with Gaussian weights, which is the default. It does
about 15,000 multiplications per voxel, a small part of what a real network does, and its labels have borders
everywhere: the share of time outside it is more than that of others. Each run is a process of its own; its peak
resident memory counts everything, Python and torch included. Four questions:

- the large volume, with 10 and with 100 classes: peak memory, and the share of time outside the network;
- the same, decided on a grid 1.5 times finer along each axis: 3.4 times as many voxels as go through the network;
- the plan that is printed beforehand: how much of it was taken (``of_plan``)?
- volumes that fit both ways, on their own grid and on a finer one: the same labels as from averages kept as a whole?
  and MONAI's ``sliding_window_inference`` with argmax on the same job: its memory and its time. (Averages of the
  large volume would take 42 GB: its labels are not compared.)

``ratio`` is MONAI's peak memory beyond that of the process before, over ours, on the volume that both can do.

    python benchmarks/streamed_inference.py [--quick]
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import torch
from side_by_side import report, say

from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.components.models.base import Model
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.inference.predict import Predictor
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.inference.streaming.memory import Streamed

OVERLAP = 0.25
FINER = 1.5
GOAL_GB = 6.0
GOAL_OUTSIDE = 0.25


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        side: ``streamed``, ``whole`` (averages kept as a whole, then decided) or ``monai``.
        shape: Voxels of the image.
        classes: Channels of the output.
        window: Edge of a window.
        finer: How much finer the grid is that the classes are decided on; 1 for the image's own.
        labels: Where to put the labels, if they are wanted.
    """

    side: str
    shape: tuple[int, int, int]
    classes: int
    window: int
    finer: float = 1.0
    labels: str = ""


class Dummy(Model):
    """Little work per voxel, many classes."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes, in_channels=1, final_activation="softmax")
        widths = (1, 16, 16, 16)
        steps: list[torch.nn.Module] = []
        for before, after in pairwise(widths):
            steps += [torch.nn.Conv3d(before, after, 3, padding=1), torch.nn.ReLU()]
        self.features = torch.nn.Sequential(*steps)
        self.head = torch.nn.Conv3d(widths[-1], classes, 1)
        torch.nn.init.normal_(self.head.weight, std=10.0)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Before the softmax."""
        result: torch.Tensor = self.head(self.features(image))
        return result


class Timed(Dummy):
    """Knows how long it took."""

    seconds = 0.0

    def __call__(self, image: torch.Tensor) -> Any:
        """As ever."""
        began = time.perf_counter()
        result = super().__call__(image)
        self.seconds += time.perf_counter() - began
        return result


def peak_gb() -> float:
    """The most memory that this process ever had."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float(psutil.Process().memory_info().rss) / 1e9
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e9


def sample_of(job: Job) -> Sample:
    """A smooth image, as a file of another grid would have given it."""
    coarse = torch.randn(1, 1, *(max(2, size // 8) for size in job.shape), generator=torch.Generator().manual_seed(0))
    data = torch.nn.functional.interpolate(coarse, size=job.shape, mode="trilinear")[0]
    file = tuple(round(size * job.finer) for size in job.shape)
    scale = [size / new for size, new in zip(job.shape, file, strict=True)]
    affine = np.diag([*scale, 1.0])
    affine[:3, 3] = [(one - 1) / 2 for one in scale]
    source = Source((), Grid(file, affine))
    return Sample({"image": Volume(data, np.eye(4), "first", source=source)}, name="dummy")


def streamed(job: Job, sample: Sample) -> tuple[torch.Tensor, float]:
    """Vesalia's way."""
    predictor = Predictor.ready(model_of(Dummy, job), inferer_of(job))
    chain = chain_of(job)
    decided = predictor.decided(sample, chain)
    if decided is None or predictor.network is None:
        raise SystemExit("found a prediction that was not streamed")
    return decided["model"].data[0], predictor.network.seconds


def whole(job: Job, sample: Sample) -> tuple[torch.Tensor, float]:
    """All probabilities, then the decision: by MONAI, or by Vesalia's full-buffer path."""
    model = model_of(Timed, job)
    image = sample["image"].data.unsqueeze(0)
    with torch.no_grad():
        if job.side == "monai":
            from monai.inferers.utils import sliding_window_inference

            said: Any = sliding_window_inference(image, [job.window] * 3, 1, model, overlap=OVERLAP, mode="gaussian")
        else:
            said = inferer_of(job)(image, model)
        if job.finer != 1:
            size = [round(edge * job.finer) for edge in job.shape]
            said = torch.nn.functional.interpolate(said, size=size, mode="trilinear")
        return said[0].argmax(0).to(torch.uint8), model.seconds


def inferer_of(job: Job) -> TFScanWindowInferer:
    """The same windows and weights on all sides."""
    return TFScanWindowInferer([job.window] * 3, overlap=OVERLAP)


def chain_of(job: Job) -> StreamedChain:
    """What is done to the prediction."""
    return StreamedChain(None, "image" if job.finer != 1 else None, ())


def plan_gb(job: Job, sample: Sample) -> float:
    """What the plan says of the peak; the image is there already."""
    inferer, predictor = inferer_of(job), Predictor.ready(model_of(Dummy, job), inferer_of(job))
    if predictor.network is None:
        raise SystemExit("found no network that can be run by windows")
    streamed = Streamed.of(predictor.network, inferer, chain=chain_of(job))
    source = sample["image"].source
    target = job.shape if source is None else source.grid.shape
    return streamed.memory("dummy", job.shape, target=target, classes=job.classes, image_bytes=0).peak_bytes / 1e9


def model_of(kind: type[Dummy], job: Job) -> Any:
    """The same weights each time."""
    torch.manual_seed(0)
    return kind(job.classes).eval()


def run_here(job: Job) -> dict[str, float]:
    """Do the job in this process."""
    sample = sample_of(job)
    plan = plan_gb(job, sample)
    before, began = peak_gb(), time.perf_counter()
    labels, network_s = (streamed if job.side == "streamed" else whole)(job, sample)
    seconds = time.perf_counter() - began
    if job.labels:
        np.save(job.labels, labels.numpy())
    outside = 1 - network_s / seconds
    peak = peak_gb()
    found = {"peak_gb": peak, "before_gb": before, "seconds": seconds, "outside_share": outside}
    return {**found, "plan_gb": plan, "of_plan": peak / plan} if job.side == "streamed" else found


def run_apart(job: Job) -> dict[str, float]:
    """Do the job in a process of its own."""
    command = [sys.executable, __file__, "--job", json.dumps(asdict(job))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    shape = " x ".join(map(str, job.shape))
    grid = f", decided on a grid {job.finer:g} times finer" if job.finer != 1 else ""
    outside = f"{found['outside_share']:4.0%} outside the network"
    outside += f", {found['of_plan']:.0%} of the plan" if "of_plan" in found else ""
    say(
        f"{job.side:9} {shape:>15}, {job.classes:3} classes{grid}: peak {found['peak_gb']:5.2f} GB "
        f"({found['before_gb']:.2f} before), {found['seconds']:6.1f} s, {outside}"
    )
    return found


def compare(shape: tuple[int, int, int], classes: int, window: int, *, finer: float = 1.0) -> dict[str, Any]:
    """All three ways on one job, and how many labels agree."""
    found: dict[str, Any] = {}
    labels: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        for side in ("streamed", "whole", "monai"):
            path = str(Path(folder) / f"{side}.npy")
            found[side] = run_apart(Job(side, shape, classes, window, finer, path))
            labels[side] = np.load(path)
    found["same_labels"] = float((labels["streamed"] == labels["whole"]).mean())
    found["same_labels_as_monai"] = float((labels["streamed"] == labels["monai"]).mean())
    return found


def growth(few: dict[str, float], many: dict[str, float]) -> float:
    """How much more memory, as a share."""
    return many["peak_gb"] / few["peak_gb"] - 1


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, to see that it runs")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        given = json.loads(asked.job)
        say(json.dumps(run_here(Job(**{**given, "shape": tuple(given["shape"])}))))
        return
    window = 24 if asked.quick else 96
    large, fits, back = ((64, 64, 48),) * 3 if asked.quick else ((512, 512, 400), (224, 224, 160), (128, 128, 112))
    few, many = (run_apart(Job("streamed", large, classes, window)) for classes in (10, 100))
    fine_few, fine_many = (run_apart(Job("streamed", large, classes, window, FINER)) for classes in (10, 100))
    same_job = compare(fits, 100, window)
    finer = compare(back, 40, window, finer=FINER)
    streams = [few, many, fine_few, fine_many]
    beyond = {side: same_job[side]["peak_gb"] - same_job[side]["before_gb"] for side in ("streamed", "monai")}
    result = {
        "ratio": beyond["monai"] / beyond["streamed"],
        "monai_gb": beyond["monai"],
        "vesalia_gb": beyond["streamed"],
        "large": {"shape": large, "10 classes": few, "100 classes": many},
        "large_to_finer": {"finer": FINER, "10 classes": fine_few, "100 classes": fine_many},
        "peak_growth_10_to_100": {"own grid": growth(few, many), "finer grid": growth(fine_few, fine_many)},
        "same_job": {"shape": fits, "classes": 100, **same_job},
        "finer_grid": {"shape": back, "classes": 40, "finer": FINER, **finer},
        "goals": {
            "peak_below_6_gb": max(one["peak_gb"] for one in streams) < GOAL_GB,
            "flat_within_5_percent": abs(growth(few, many)) <= 0.05,
            "flat_within_5_percent_finer": abs(growth(fine_few, fine_many)) <= 0.05,
            "outside_at_most_a_quarter": many["outside_share"] <= GOAL_OUTSIDE,
            "outside_at_most_a_quarter_finer": fine_many["outside_share"] <= GOAL_OUTSIDE,
            "plan_within_20_percent": all(0.8 <= one["of_plan"] <= 1.0 for one in streams),
            "labels_as_reference": min(same_job["same_labels"], finer["same_labels"]) >= 0.9999,
        },
    }
    report("streamed_inference", result, keep=not asked.quick)


if __name__ == "__main__":
    main()
