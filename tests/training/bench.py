"""A trainer of small parts, each of which a test may exchange."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import optim

from tests.training.fakes import (
    Ears,
    FakePipeline,
    Likeness,
    MeanSquare,
    Straight,
    TinyModel,
    as_pipeline,
)
from vesalia.components.aux_ops.base import AuxOp
from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.precision import Precision
from vesalia.training.early_stop import EarlyStop
from vesalia.training.gradients import Gradients
from vesalia.training.keeper import Keeper
from vesalia.training.listener import Listener
from vesalia.training.loop import Trainer
from vesalia.training.schedule import EpochSchedule, Schedule
from vesalia.training.state import Counters, Stateful, load_state
from vesalia.training.trainee import Trainee
from vesalia.training.validation import Validation
from vesalia.training.weight_average import WeightAverage

__all__ = ["RATE", "Bench", "Falling", "assert_same", "ears", "tiny"]


RATE = 1e-2


class Falling(LearningRatePolicy):
    """A straight line to 0."""

    def __call__(self, initial: float, progress: Progress) -> float:
        return initial * (1 - progress.fraction)


@dataclass
class Bench:
    """What a trainer is made of, with small defaults."""

    folder: Path
    epochs: int = 4
    valid_every: int = 1
    model: TinyModel = field(default_factory=TinyModel)
    loss: MeanSquare = field(default_factory=MeanSquare)
    pipeline: FakePipeline = field(default_factory=FakePipeline)
    metric: Likeness | None = field(default_factory=Likeness)
    lr_policy: LearningRatePolicy | None = None
    listener: Listener = field(default_factory=Ears)
    aux_ops: tuple[AuxOp, ...] = ()
    stop: StopRequest = field(default_factory=StopRequest)
    stop_threshold: float | None = None
    stop_patience: int | None = None
    gradients: Gradients = field(default_factory=Gradients)
    ema_decay: float | None = None
    resume: bool = False
    schedule: Schedule | None = None
    cases: FakePipeline = field(default_factory=lambda: FakePipeline(items=2))

    def trainer(self) -> Trainer:
        """Ready to run, as :mod:`vesalia.training.fit` builds it."""
        fabric, precision = Fabric(accelerator="cpu", devices=1), Precision("32-true", channels_last=True)
        optimizer = optim.Adam(precision.arrange_model(self.model).parameters(), lr=RATE)
        counters = Counters(seed=1)
        average = None if self.ema_decay is None else WeightAverage(self.model, self.ema_decay)
        parts: dict[str, Stateful] = {"average": average} if average else {}
        if self.resume:
            counters, _ = load_state(self.folder, model=self.model, optimizer=optimizer, parts=parts)
        schedule = self.schedule or EpochSchedule(self.epochs, self.valid_every)
        if isinstance(schedule, EpochSchedule):
            schedule.stepped(
                epoch=counters.epoch, step=counters.step_in_epoch, steps_per_epoch=self.pipeline.steps_per_epoch
            )
        network, wrapped = fabric.setup(Trainee(self.model), optimizer)
        return Trainer(
            fabric=fabric,
            model=self.model,
            network=network,
            optimizer=wrapped,
            loss=self.loss,
            aux_ops=self.aux_ops,
            pipeline=as_pipeline(self.pipeline),
            validation=self.validation(precision) if self.metric else None,
            learning_rate=RATE,
            lr_policy=self.lr_policy,
            schedule=schedule,
            precision=precision,
            keeper=Keeper(folder=self.folder, describe=lambda counters: {"epoch": counters.epoch}),
            listener=self.listener,
            counters=counters,
            stop=self.stop,
            early_stop=EarlyStop(threshold=self.stop_threshold, patience=self.stop_patience),
            gradients=self.gradients,
            average=average,
            parts=parts,
        )

    def validation(self, precision: Precision) -> Validation:
        """Two cases."""
        assert self.metric
        return Validation(
            source=self.cases,
            inferer=Straight(),
            metrics=[self.metric],
            aux_ops=(),
            loss=MeanSquare(),
            device=torch.device("cpu"),
            precision=precision,
            autocast=nullcontext,
        )


def tiny(seed: int = 0, **settings: Any) -> TinyModel:
    """A network that is the same for the same seed."""
    torch.manual_seed(seed)
    return TinyModel(**settings)


def ears(bench: Bench) -> Ears:
    """The bench's listener, which remembers."""
    assert isinstance(bench.listener, Ears)
    return bench.listener


def assert_same(one: TinyModel, other: TinyModel) -> None:
    """Equal to the bit."""
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
