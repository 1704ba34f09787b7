"""Trains the tiny archive from a plan, with what tests need for it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from tests.tiny_archive import read_config, write_config
from vesalia.mmar.validate import plan_training
from vesalia.runtime.interrupts import StopRequest
from vesalia.training.fit import TrainOptions, fit
from vesalia.training.listener import Listener, StepReport
from vesalia.training.result import TrainResult

__all__ = ["FakeTime", "StopAfter", "cached", "change", "train", "weights"]


class StopAfter(Listener):
    """Sends Ctrl-C to this process after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, report: StepReport) -> None:
        if report.step == self.step:
            signal.raise_signal(signal.SIGINT)


class FakeTime:
    """A clock on which each look takes half a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


def train(archive: Path, *overrides: str, listener: Listener | None = None, **options: Any) -> TrainResult:
    """Train an archive on the CPU."""
    plan = plan_training(archive, overrides=overrides)
    with StopRequest() as stop:
        return fit(plan, TrainOptions(**{"seed": 1, "device": "cpu", **options}), listener=listener, stop=stop)


def cached(config: dict[str, Any]) -> None:
    """Have the training items kept in a cache, which is filled before the first step."""
    pipeline = config["train"]["image_pipeline"]
    pipeline["name"] = "SegmentationImagePipelineWithCache"
    pipeline["args"].update(num_cache_objects=4, replace_percent=0.0)


def change(archive: Path, how: Callable[[dict[str, Any]], None]) -> None:
    """Change the train config."""
    config = read_config(archive)
    how(config)
    write_config(archive, config)


def weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file."""
    return load_file(path)
