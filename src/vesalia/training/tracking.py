"""What a run writes of its course: ``history.jsonl`` for reports and programs, TensorBoard events for people."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.utils.tensorboard.writer import SummaryWriter

from vesalia.runtime.files import append_text, as_resource_error, write_text
from vesalia.training.listener import EpochReport, Listener, StepReport, ValidationReport

__all__ = ["HISTORY_FILE", "HistoryFile", "TensorBoard"]

HISTORY_FILE = "history.jsonl"


class HistoryFile(Listener):
    """Appends one JSON object per epoch and per validation to ``history.jsonl``.

    Args:
        folder: The run folder.
        keep_until_step: On resuming, lines of later steps are dropped: those steps are done again.
    """

    def __init__(self, folder: Path, *, keep_until_step: int = 0) -> None:
        self.path = folder / HISTORY_FILE
        kept = [line for line in _lines(self.path) if line["step"] <= keep_until_step]
        write_text(self.path, "".join(json.dumps(line) + "\n" for line in kept))

    def epoch_ended(self, report: EpochReport) -> None:
        """Append the epoch."""
        self._append("epoch", asdict(report))

    def validated(self, report: ValidationReport) -> None:
        """Append the validation."""
        self._append("validation", asdict(report))

    def _append(self, kind: str, values: dict[str, Any]) -> None:
        append_text(self.path, json.dumps(_without_nan({"kind": kind, **values}), allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    """``value`` as JSON has it: null where a number is none."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a history; a line torn by a kill is dropped."""
    if not path.exists():
        return []
    found: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(entry, dict) and "step" in entry:
            found.append(entry)
    return found


class TensorBoard(Listener):
    """Writes TensorBoard events into the run folder.

    Args:
        folder: The run folder.
        interval: Steps between training records; 0 records once per epoch (v3's ``train_summary_recording_interval``).
        hidden: Metrics with ``do_summary: false``.
    """

    def __init__(self, folder: Path, *, interval: int = 1, hidden: frozenset[str] = frozenset()) -> None:
        self._folder = folder
        self._writer = SummaryWriter(str(folder))
        self._interval = interval
        self._hidden = hidden

    def stepped(self, report: StepReport) -> None:
        """Record loss and learning rate."""
        if self._interval and report.step % self._interval == 0:
            self._record("train/loss", report.loss, report.step)
            self._record("train/learning_rate", report.learning_rate, report.step)

    def epoch_ended(self, report: EpochReport) -> None:
        """Record the epoch's means."""
        self._record("epoch/loss", report.loss, report.step)
        self._record("epoch/samples_per_s", report.samples_per_s, report.step)
        self._record("epoch/waiting_share", report.waiting_share, report.step)
        for tag, value in report.values.items():
            self._record(f"epoch/{tag}", value, report.step)

    def validated(self, report: ValidationReport) -> None:
        """Record the metrics."""
        for name, value in report.metrics.items():
            if name not in self._hidden:
                self._record(f"validation/{name}", value, report.step)

    def closed(self) -> None:
        """Flush and close the event file."""
        try:
            self._writer.close()
        except OSError as error:
            raise as_resource_error(self._folder, error) from error

    def _record(self, tag: str, value: float, step: int) -> None:
        try:
            self._writer.add_scalar(tag, value, step)
        except OSError as error:
            raise as_resource_error(self._folder, error) from error
