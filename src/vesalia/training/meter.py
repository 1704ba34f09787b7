"""What a step and an epoch measured: losses, speed, and the share of time spent waiting for data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

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
        self._losses: list[float] = []
        self._values: dict[str, list[float]] = {}
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
        return len(self._losses)

    def begin(self, pipeline: BoundPipeline) -> None:
        """An epoch begins."""
        self._pipeline = pipeline
        self._losses, self._values = [], {}
        self._samples, self._seconds, self._waited = 0, 0.0, 0.0
        self.pause()

    def pause(self) -> None:
        """What happened since the last step is not to be counted."""
        self._mark = time.monotonic()
        self._waited_mark = self._pipeline.waiting if self._pipeline else 0.0

    def add(self, loss: float, values: dict[str, float], *, samples: int) -> None:
        """A step is done."""
        took = time.monotonic() - self._mark
        waited = (self._pipeline.waiting if self._pipeline else 0.0) - self._waited_mark
        self.pause()
        self._losses.append(loss)
        for tag, value in values.items():
            self._values.setdefault(tag, []).append(value)
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
            loss=self._losses[-1],
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
            loss=sum(self._losses) / steps,
            learning_rate=learning_rate,
            seconds=self._seconds,
            samples_per_s=self._samples / seconds,
            waiting_share=min(1.0, self._waited / seconds),
            values={tag: sum(values) / len(values) for tag, values in self._values.items()},
        )
