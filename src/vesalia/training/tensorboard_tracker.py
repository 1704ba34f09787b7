"""TensorBoard events in the run folder."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from vesalia.runtime.files import as_resource_error
from vesalia.training.tracking import Tracker

__all__ = ["TensorBoardTracker"]


class TensorBoardTracker(Tracker):
    """Writes an event file into the run folder, at once and without a buffer.

    Args:
        folder: The run folder.
    """

    name = "tensorboard"

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"events.out.tfevents.{time.time():.6f}.{os.getpid()}"
        self._writer: RecordWriter | None = None

    def began(self, facts: Mapping[str, Any], *, resumed: bool, step: int) -> None:
        """Where a run goes on, have TensorBoard forget what is recorded of the steps that are done again."""
        if resumed:
            again = SessionLog(status=SessionLog.START)
            self._safely(Event(wall_time=time.time(), step=step + 1, session_log=again))

    def record(self, values: Mapping[str, float], step: int) -> None:
        """Write an event per value."""
        for tag, value in values.items():
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            self._safely(Event(wall_time=time.time(), step=step, summary=summary))

    def ended(self, *, completed: bool) -> None:
        """Close the event file."""
        if self._writer:
            self._writer.close()

    def _safely(self, event: Event) -> None:
        try:
            self._write(event)
        except OSError as error:
            raise as_resource_error(self._path, error) from error

    def _write(self, event: Event) -> None:
        if self._writer is None:  # neither buffer nor thread, so that a full disk is told at once
            self._writer = RecordWriter(self._path.open("ab", buffering=0))
            self._writer.write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
        self._writer.write(event.SerializeToString())
