"""What a run writes of its course: ``history.jsonl`` for reports and programs, TensorBoard events for people."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from vesalia.inference.curves import HISTORY_FILE, read_history
from vesalia.runtime.files import append_text, as_resource_error, write_text
from vesalia.runtime.jsonfile import as_json
from vesalia.training.listener import EpochReport, Listener, StepReport, ValidationReport

__all__ = ["HistoryFile", "TensorBoard"]


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


class TensorBoard(Listener):
    """Writes TensorBoard events into the run folder.

    Args:
        folder: The run folder.
        interval: Steps between training records; 0 records once per epoch (v3's ``train_summary_recording_interval``).
        hidden: Tags that are left out: those of metrics and auxiliary operations with ``do_summary: false``.
    """

    def __init__(self, folder: Path, *, interval: int = 1, hidden: frozenset[str] = frozenset()) -> None:
        self._interval = interval
        self._hidden = hidden
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{os.getpid()}"
        self._writer: RecordWriter | None = None

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
            self._record(f"validation/{name}", value, report.step)

    def closed(self) -> None:
        """Close the event file."""
        if self._writer:
            self._writer.close()

    def _record(self, tag: str, value: float, step: int) -> None:
        if tag in self._hidden:
            return
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        try:
            if self._writer is None:  # neither buffer nor thread, so that a full disk is told at once
                self._writer = RecordWriter(self._path.open("ab", buffering=0))
                self._writer.write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
            self._writer.write(Event(wall_time=time.time(), step=step, summary=summary).SerializeToString())
        except OSError as error:
            raise as_resource_error(self._path, error) from error
