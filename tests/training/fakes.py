"""A network, data and a standing run that are as small as they can be."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from torch import nn, optim

from vesalia.components.inferers.base import Inferer
from vesalia.components.losses.base import Loss
from vesalia.components.metrics.base import Metric, SubjectScore
from vesalia.components.models.base import Model
from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.batching import Batch
from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.training.listener import EpochReport, Listener, RunStart, StepReport, ValidationReport
from vesalia.training.meter import Meter
from vesalia.training.schedule import EpochSchedule, Schedule
from vesalia.training.state import Counters, Stateful
from vesalia.training.weight_average import WeightAverage

__all__ = [
    "Clock",
    "Ears",
    "FakePipeline",
    "Likeness",
    "MeanSquare",
    "Run",
    "SlowPipeline",
    "Straight",
    "TinyModel",
    "as_pipeline",
    "epoch_report",
    "make_run",
    "run_start",
    "step_report",
    "validation_report",
]

SIZE = (4, 4, 4)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


class TinyModel(Model):
    """A convolution, dropout, a convolution; 2 classes of 1 channel."""

    def __init__(self, *, dropout: float = 0.0, reg_weight: float = 0.0) -> None:
        super().__init__(2, in_channels=1, final_activation="softmax", reg_weight=reg_weight)
        self.first = nn.Conv3d(1, 3, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Conv3d(3, 2, 1)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, 1, D, H, W]`` to ``[B, 2, D, H, W]``."""
        return cast("torch.Tensor", self.last(self.dropout(torch.relu(self.first(image)))))


class MeanSquare(Loss):
    """The mean square of what class 1 lacks; NaN from ``broken_from`` on, counted in calls."""

    def __init__(self, *, broken_from: int | None = None) -> None:
        self.calls = 0
        self.broken_from = broken_from

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """A float32 scalar."""
        self.calls += 1
        broken = self.broken_from is not None and self.calls >= self.broken_from
        return (probabilities[:, 1:] - target.float()).square().mean() * (torch.nan if broken else 1.0)


class FakePipeline:
    """Batches that are a function of epoch and step, as a real pipeline's are."""

    def __init__(self, *, items: int = 6, batch_size: int = 2) -> None:
        self.items = items
        self.batch_size = batch_size
        self.waiting = 0.0
        self.ended_epochs = 0
        self.closed_epochs = 0
        self.asked: list[tuple[int, int]] = []
        self.another = False

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch."""
        return -(-self.items // self.batch_size)

    @property
    def items_per_step(self) -> int:
        """Items of a step."""
        return self.batch_size

    def epoch(self, index: int, *, done: int = 0, another: bool = False) -> Generator[Batch, None, None]:
        """The batches of epoch ``index`` (from 0)."""
        self.another = another
        start_step = -(-done // self.batch_size)
        self.asked.append((index, start_step))
        try:
            for step in range(start_step, self.steps_per_epoch):
                yield self.batch(index, step)
        finally:
            self.closed_epochs += 1

    def batch(self, index: int, step: int) -> Batch:
        """The batch of one step."""
        dice = torch.Generator().manual_seed(1000 * index + step)
        image = torch.rand(self.batch_size, 1, *SIZE, generator=dice)
        names = tuple(f"case_{index}_{step}_{row}" for row in range(self.batch_size))
        return Batch({"image": image, "label": (image > 0.5).to(torch.uint8)}, names)

    def samples(self) -> Generator[Sample, None, None]:
        """Whole samples, the same each time."""
        for number in range(self.items):
            image = torch.rand(1, *SIZE, generator=torch.Generator().manual_seed(number))
            volumes = {
                "image": Volume(image, np.eye(4), "first"),
                "label": Volume((image > 0.5).to(torch.uint8), np.eye(4), "first"),
            }
            yield Sample(volumes, name=f"case_{number}")

    def report_epoch_end(self) -> None:
        """Count."""
        self.ended_epochs += 1


class SlowPipeline(FakePipeline):
    """Each batch and each sample takes its time on a clock of its own; ``taken`` counts the samples."""

    def __init__(self, clock: Clock, *, items: int, sample_s: Sequence[float] = (1.0,), batch_s: float = 1.0) -> None:
        super().__init__(items=items)
        self.clock, self.sample_s, self.batch_s = clock, sample_s, batch_s
        self.taken = 0

    def batch(self, index: int, step: int) -> Batch:
        """The batch of one step, late."""
        self.clock.now += self.batch_s
        return super().batch(index, step)

    def samples(self) -> Generator[Sample, None, None]:
        """Whole samples, late: the n-th one taken needs the n-th time, those after the last one the last one's."""
        for sample in super().samples():
            self.clock.now += self.sample_s[min(self.taken, len(self.sample_s) - 1)]
            self.taken += 1
            yield sample


def as_pipeline(pipeline: FakePipeline) -> BoundPipeline:
    """The fake, for signatures that ask for the real one."""
    return cast("BoundPipeline", pipeline)


class Straight(Inferer):
    """The image goes through the network as it is."""

    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        """Probabilities."""
        return cast("torch.Tensor", model(image))


class Likeness(Metric):
    """One minus the mean difference of class 1; or, with ``script``, a value per validation as told."""

    def __init__(self, name: str = "likeness", *, script: list[float] | None = None, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.script = script
        self.validations = -1

    def reset(self) -> None:
        """The next validation."""
        super().reset()
        self.validations += 1

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """Judge one subject."""
        if self.script is not None:
            value = self.script[min(self.validations, len(self.script) - 1)]
            return SubjectScore(subject, value, (value,))
        value = 1 - float((fields["model"][1:] - fields["label"].float()).abs().mean())
        return SubjectScore(subject, value, (value,))


class Ears(Listener):
    """Remembers everything it is told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def of(self, kind: str) -> list[Any]:
        """What was heard of one kind."""
        return [what for name, what in self.heard if name == kind]

    def noted(self, words: str) -> None:
        self.heard.append(("noted", words))

    def filling(self, done: int, total: int) -> None:
        self.heard.append(("filling", (done, total)))

    def started(self, report: RunStart) -> None:
        self.heard.append(("started", report))

    def stepped(self, report: StepReport) -> None:
        self.heard.append(("stepped", report))

    def validating(self, done: int, total: int) -> None:
        self.heard.append(("validating", (done, total)))

    def validated(self, report: ValidationReport) -> None:
        self.heard.append(("validated", report))

    def epoch_ended(self, report: EpochReport) -> None:
        self.heard.append(("epoch_ended", report))

    def warned(self, message: str) -> None:
        self.heard.append(("warned", message))

    def closed(self) -> None:
        self.heard.append(("closed", None))


@dataclass
class Run:
    """What a keeper looks at."""

    model: Model
    optimizer: optim.Optimizer
    counters: Counters = field(default_factory=Counters)
    schedule: Schedule = field(default_factory=lambda: EpochSchedule(10, 1))
    average: WeightAverage | None = None
    meter: Meter = field(default_factory=Meter)
    parts: Mapping[str, Stateful] = field(default_factory=dict)


def make_run(seed: int = 0, *, steps: int = 2, counters: Counters | None = None) -> Run:
    """A run that has done some steps, so that the optimizer has a state."""
    torch.manual_seed(seed)
    model = TinyModel()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    pipeline, loss = FakePipeline(), MeanSquare()
    for step in range(steps):
        batch = pipeline.batch(0, step)
        optimizer.zero_grad()
        loss(model(batch.fields["image"]), batch.fields["label"]).backward()  # type: ignore[no-untyped-call,unused-ignore]
        optimizer.step()
    return Run(model, optimizer, counters or Counters())


def run_start(**changes: Any) -> RunStart:
    """A report with plausible values."""
    plain: dict[str, Any] = {
        "archive": "spleen",
        "device": "cpu",
        "precision": "32-true",
        "parameters": 12345,
        "train_items": 6,
        "valid_items": 2,
        "steps_per_epoch": 3,
        "epochs": 10,
    }
    return RunStart(**{**plain, **changes})


def step_report(**changes: Any) -> StepReport:
    """A report with plausible values."""
    plain: dict[str, Any] = {
        "epoch": 1,
        "step": 2,
        "fraction": 0.25,
        "loss": 0.5,
        "learning_rate": 1e-3,
        "samples_per_s": 4.0,
        "waiting_share": 0.1,
        "eta_s": 61.0,
    }
    return StepReport(**{**plain, **changes})


def epoch_report(**changes: Any) -> EpochReport:
    """A report with plausible values."""
    plain: dict[str, Any] = {
        "epoch": 1,
        "step": 3,
        "loss": 0.5,
        "learning_rate": 1e-3,
        "seconds": 2.0,
        "samples_per_s": 3.0,
        "waiting_share": 0.1,
        "values": {"neg_loss": -0.5},
    }
    return EpochReport(**{**plain, **changes})


def validation_report(**changes: Any) -> ValidationReport:
    """A report with plausible values."""
    plain: dict[str, Any] = {
        "epoch": 1,
        "step": 3,
        "seconds": 1.5,
        "cases": 2,
        "metrics": {"dice": 0.8, "other": 0.1},
        "per_class": {"dice": (0.7, 0.9), "other": ()},
        "key_metric": "dice",
        "value": 0.8,
        "best": True,
    }
    return ValidationReport(**{**plain, **changes})
