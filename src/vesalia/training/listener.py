"""What a training tells of itself while it runs; the base listens and does nothing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from vesalia.runtime.jsonfile import as_json

__all__ = ["Audience", "EpochReport", "Listener", "RunStart", "StepReport", "ValidationReport"]


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known before the first step.

    Attributes:
        archive: Name of the archive.
        device: Where the network runs.
        precision: Number format of the network.
        parameters: Count of the network's parameters.
        train_items: Items in an epoch.
        valid_items: Items in a validation.
        steps_per_epoch: Optimizer steps in an epoch.
        epochs: Epochs to run, or None under a time budget.
        resumed_from: Epoch the run goes on from; 0 for a new run.
        resumed_step: Steps that were done before; 0 for a new run.
        notes: What the user should know.
    """

    archive: str
    device: str
    precision: str
    parameters: int
    train_items: int
    valid_items: int
    steps_per_epoch: int
    epochs: int | None
    resumed_from: int = 0
    resumed_step: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepReport:
    """One optimizer step.

    Attributes:
        epoch: Counted from 1.
        step: Steps since the run began.
        fraction: Done part of the whole training.
        loss: Loss of the batch.
        learning_rate: Learning rate of the step.
        samples_per_s: Network inputs per second, as a moving average.
        waiting_share: Part of the time spent waiting for data, 0 to 1, as a moving average.
        eta_s: Seconds to the end, as far as can be told.
    """

    epoch: int
    step: int
    fraction: float
    loss: float
    learning_rate: float
    samples_per_s: float
    waiting_share: float
    eta_s: float


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch.

    Attributes:
        epoch: Counted from 1.
        step: Steps since the run began.
        loss: Mean loss.
        learning_rate: Learning rate of the last step.
        seconds: What it took, validation left out.
        samples_per_s: Network inputs per second.
        waiting_share: Part of the time spent waiting for data, 0 to 1.
        values: Means of what the auxiliary operations gave, by tag.
    """

    epoch: int
    step: int
    loss: float
    learning_rate: float
    seconds: float
    samples_per_s: float
    waiting_share: float
    values: dict[str, float] = field(default_factory=dict)

    def entry(self) -> dict[str, Any]:
        """The line of ``history.jsonl``."""
        return _entry("epoch", asdict(self))


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """One validation.

    Attributes:
        epoch: Counted from 1.
        step: Steps since the run began.
        seconds: What it took.
        cases: Items that were judged.
        metrics: Metric name to its mean.
        per_class: Metric name to its mean per class, where it has classes.
        key_metric: The metric that chooses the best model.
        value: Its mean.
        best: Whether it is the best so far.
        unprinted: Metrics with ``do_print: false``; consoles leave them out.
    """

    epoch: int
    step: int
    seconds: float
    cases: int
    metrics: dict[str, float]
    per_class: dict[str, tuple[float, ...]]
    key_metric: str
    value: float
    best: bool
    unprinted: tuple[str, ...] = ()

    def entry(self) -> dict[str, Any]:
        """The line of ``history.jsonl``."""
        values = asdict(self)
        del values["unprinted"]
        return _entry("validation", values)

    @property
    def printed(self) -> dict[str, float]:
        """The metrics that a console shows."""
        return {name: value for name, value in self.metrics.items() if name not in self.unprinted}


def _entry(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = as_json({"kind": kind, **values})
    return entry


class Listener:
    """Hears what a training tells. Subclass it for a display, a log or a tracker."""

    def noted(self, words: str) -> None:
        """What is to come, told before anything is loaded."""

    def filling(self, done: int, total: int) -> None:
        """The cache holds ``done`` of ``total`` items."""

    def started(self, report: RunStart) -> None:
        """The first step is next."""

    def stepped(self, report: StepReport) -> None:
        """An optimizer step is done."""

    def validating(self, done: int, total: int) -> None:
        """A validation judged ``done`` of ``total`` items."""

    def validated(self, report: ValidationReport) -> None:
        """A validation is done."""

    def epoch_ended(self, report: EpochReport) -> None:
        """An epoch is done."""

    def warned(self, message: str) -> None:
        """Something the user should know."""

    def closed(self) -> None:
        """The training is over, whatever the reason."""


class Audience(Listener):
    """Passes everything on to several listeners, in order."""

    def __init__(self, *listeners: Listener) -> None:
        self.listeners = listeners

    def noted(self, words: str) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.noted(words)

    def filling(self, done: int, total: int) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.filling(done, total)

    def started(self, report: RunStart) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.started(report)

    def stepped(self, report: StepReport) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.stepped(report)

    def validating(self, done: int, total: int) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.validating(done, total)

    def validated(self, report: ValidationReport) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.validated(report)

    def epoch_ended(self, report: EpochReport) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.epoch_ended(report)

    def warned(self, message: str) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.warned(message)

    def closed(self) -> None:
        """Pass on."""
        for listener in self.listeners:
            listener.closed()
