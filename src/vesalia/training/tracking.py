"""Keeping the course of a run: ``history.jsonl`` for reports and programs, trackers such as TensorBoard for people."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vesalia.inference.curves import HISTORY_FILE, read_history
from vesalia.runtime.files import append_text, write_text
from vesalia.runtime.jsonfile import as_json
from vesalia.training.listener import EpochReport, Listener, RunStart, StepReport, ValidationReport

__all__ = ["HistoryFile", "Tracker", "Tracking"]


class HistoryFile(Listener):
    """Appends one JSON object per epoch and per validation to ``history.jsonl``.

    Args:
        folder: The run folder.
        keep_until_step: On resuming, lines of later steps are dropped: those steps are done again.
    """

    def __init__(self, folder: Path, *, keep_until_step: int = 0) -> None:
        self.path = folder / HISTORY_FILE
        kept = [line for line in read_history(self.path) if line.get("step", math.inf) <= keep_until_step]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def epoch_ended(self, report: EpochReport) -> None:
        """Append the epoch."""
        self._append("epoch", asdict(report))

    def validated(self, report: ValidationReport) -> None:
        """Append the validation."""
        values = asdict(report)
        del values["unprinted"]
        self._append("validation", values)

    def _append(self, kind: str, values: dict[str, Any]) -> None:
        append_text(self.path, json.dumps(as_json({"kind": kind, **values}), allow_nan=False) + "\n")


class Tracker(ABC):
    """A place that keeps curves, such as TensorBoard; whatever it raises, the training goes on without it.

    Attributes:
        name: What messages call it.
    """

    name: str = ""

    def began(self, facts: Mapping[str, Any], *, resumed: bool, step: int) -> None:
        """The step after ``step`` is next, what was recorded of it and later ones is void; ``facts`` are settings."""

    @abstractmethod
    def record(self, values: Mapping[str, float], step: int) -> None:
        """Keep values by tag; ``step`` counts since the run began."""

    def flush(self) -> None:
        """Nothing more comes for a while: what is held back should be written."""

    def ended(self, *, completed: bool) -> None:
        """The training is over; ``completed`` unless something was raised."""


class Tracking(Listener):
    """Tells trackers of the course; one that fails is left out from then on, with one warning.

    Args:
        trackers: Who is told.
        warn: Is told of a tracker that fails.
        facts: Settings of the run by name, for trackers that keep them.
        interval: Steps between training records; 0 records once per epoch (v3's ``train_summary_recording_interval``).
        hidden: Tags that are left out: those of metrics and auxiliary operations with ``do_summary: false``.
    """

    def __init__(
        self,
        trackers: Iterable[Tracker],
        *,
        warn: Callable[[str], None],
        facts: Mapping[str, Any] | None = None,
        interval: int = 1,
        hidden: frozenset[str] = frozenset(),
    ) -> None:
        self._trackers = list(trackers)
        self._warn = warn
        self._facts = dict(facts or {})
        self._interval = interval
        self._hidden = hidden

    def started(self, report: RunStart) -> None:
        """Tell what is known of the run."""
        known = asdict(report)
        for name in ("notes", "resumed_step"):
            del known[name]
        facts, step = {**known, **self._facts}, report.resumed_step
        self._each(lambda tracker: tracker.began(facts, resumed=report.resumed_from > 0, step=step))

    def stepped(self, report: StepReport) -> None:
        """Record loss and learning rate."""
        if self._interval and report.step % self._interval == 0:
            self._record({"train/loss": report.loss, "train/learning_rate": report.learning_rate}, report.step)

    def epoch_ended(self, report: EpochReport) -> None:
        """Record the epoch's means."""
        values = {
            "loss": report.loss,
            "samples_per_s": report.samples_per_s,
            "waiting_share": report.waiting_share,
            **report.values,
        }
        self._record({f"epoch/{tag}": value for tag, value in values.items()}, report.step)
        self._each(lambda tracker: tracker.flush())

    def validated(self, report: ValidationReport) -> None:
        """Record the metrics."""
        self._record({f"validation/{name}": value for name, value in report.metrics.items()}, report.step)
        self._each(lambda tracker: tracker.flush())

    def closed(self) -> None:
        """Tell that the training is over, and whether anything is being raised."""
        completed = sys.exc_info()[0] is None
        self._each(lambda tracker: tracker.ended(completed=completed))

    def _record(self, values: Mapping[str, float], step: int) -> None:
        shown = {tag: value for tag, value in values.items() if tag not in self._hidden}
        self._each(lambda tracker: tracker.record(shown, step))

    def _each(self, tell: Callable[[Tracker], None]) -> None:
        for tracker in tuple(self._trackers):
            try:
                tell(tracker)
            except Exception as error:  # noqa: BLE001 - an edge: other software, over networks; a training is worth more
                self._trackers.remove(tracker)
                said = (str(error).strip() or type(error).__name__).splitlines()[0]
                self._warn(
                    f"trackers: {tracker.name} failed and is left out from here on ({said}); the training goes on"
                )
