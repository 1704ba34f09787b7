"""What a step and an epoch measured: losses, speed, and the share of time spent waiting for data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from vesalia.pipelines.pipeline import BoundPipeline
from vesalia.training.listener import EpochReport, StepReport
from vesalia.training.schedule import Schedule
from vesalia.training.state import Counters

__all__ = ["Meter"]

_SMOOTHING = 0.05
"""Weight of the newest step in the moving averages of a step report."""


class Meter:
    """Adds up an epoch; validations inside it do not count."""

    def __init__(self) -> None:
        self._pipeline: BoundPipeline | None = None
        self._steps = 0
        self._loss = self._loss_sum = 0.0
        self._values: dict[str, tuple[float, int]] = {}
        self._samples = 0
        self._seconds = 0.0
        self._waited = 0.0
        self._mark = 0.0
        self._waited_mark = 0.0
        self._run_seconds = 0.0
        self._run_fraction: float | None = None
        self._rates: tuple[float, float] | None = None

    @property
    def steps(self) -> int:
        """Steps since the epoch, or the resumed part of it, began."""
        return self._steps

    def begin(self, pipeline: BoundPipeline) -> None:
        """An epoch begins; what the data of the next one made wait since the last one's end counts with it."""
        self.clear()
        if self._pipeline is not pipeline:
            self._pipeline = pipeline
            self.pause()

    def clear(self) -> None:
        """Forget the epoch: it has been told."""
        self._steps, self._loss_sum, self._values = 0, 0.0, {}
        self._samples, self._seconds, self._waited = 0, 0.0, 0.0

    def to_dict(self) -> dict[str, Any]:
        """What the epoch has measured so far, for a resumed run; empty where nothing."""
        if self._steps == 0:
            return {}
        return {
            "steps": self._steps,
            "loss_sum": self._loss_sum,
            "values": {tag: list(sums) for tag, sums in self._values.items()},
            "samples": self._samples,
            "seconds": self._seconds,
            "waited": self._waited,
        }

    def restore(self, measured: Mapping[str, Any]) -> None:
        """Go on with the epoch that :meth:`to_dict` told of."""
        if measured:
            self._steps, self._loss_sum = measured["steps"], measured["loss_sum"]
            self._values = {tag: (total, count) for tag, (total, count) in measured["values"].items()}
            self._samples, self._seconds = measured["samples"], measured["seconds"]
            self._waited = measured["waited"]

    def pause(self) -> None:
        """What happened since the last step is not to be counted."""
        self._mark = time.monotonic()
        self._waited_mark = self._pipeline.waiting if self._pipeline else 0.0

    def add(self, loss: float, values: dict[str, float], *, samples: int) -> None:
        """A step is done."""
        took = time.monotonic() - self._mark
        waited = (self._pipeline.waiting if self._pipeline else 0.0) - self._waited_mark
        self.pause()
        self._steps += 1
        self._loss = loss
        self._loss_sum += loss
        for tag, value in values.items():
            total, count = self._values.get(tag, (0.0, 0))
            self._values[tag] = (total + value, count + 1)
        self._samples += samples
        self._seconds += took
        self._run_seconds += took
        self._waited += waited
        new = (samples / max(took, 1e-9), min(1.0, waited / max(took, 1e-9)))
        old = self._rates or new
        self._rates = (old[0] + _SMOOTHING * (new[0] - old[0]), old[1] + _SMOOTHING * (new[1] - old[1]))

    def step_report(self, counters: Counters, schedule: Schedule, *, learning_rate: float) -> StepReport:
        """The newest step, with moving averages for speed and waiting."""
        if self._run_fraction is None:
            self._run_fraction, self._run_seconds = schedule.fraction, 0.0
        gained = schedule.fraction - self._run_fraction
        eta = schedule.seconds_left()
        if eta is None:
            eta = (1 - schedule.fraction) * self._run_seconds / gained if gained > 0 else float("nan")
        rates = self._rates or (0.0, 0.0)
        return StepReport(
            epoch=counters.epoch,
            step=counters.step,
            fraction=min(schedule.fraction, 1.0),
            loss=self._loss,
            learning_rate=learning_rate,
            samples_per_s=rates[0],
            waiting_share=rates[1],
            eta_s=eta,
        )

    def epoch_report(self, counters: Counters, learning_rate: float) -> EpochReport:
        """The epoch as a whole."""
        steps = max(self.steps, 1)
        seconds = max(self._seconds, 1e-9)
        return EpochReport(
            epoch=counters.epoch,
            step=counters.step,
            loss=self._loss_sum / steps,
            learning_rate=learning_rate,
            seconds=self._seconds,
            samples_per_s=self._samples / seconds,
            waiting_share=min(1.0, self._waited / seconds),
            values={tag: total / count for tag, (total, count) in self._values.items()},
        )
