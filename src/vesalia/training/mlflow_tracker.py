"""Runs in MLflow: on a server, or in files beside the model."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, ResourceError
from vesalia.runtime.files import write_json
from vesalia.runtime.jsonfile import read_json
from vesalia.training.tracking import Tracker

__all__ = ["RUN_FILE", "MlflowTracker"]

RUN_FILE = "mlflow.json"
"""In the run folder: which run of MLflow this is, for a training that is resumed."""
_STORE = "mlruns"
_MOST_HELD = 500
"""Values after which they are sent; MLflow takes 1000 at once."""
_LONGEST_TEXT = 500
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
"""A server that is away must not hold a training up for an hour; who sets these wins."""
_OPEN_FILES = "MLFLOW_ALLOW_FILE_STORE"
"""Without it MLflow 3 refuses to keep runs in files, its only store that needs no database and no server."""


class MlflowTracker(Tracker):
    """Keeps settings and curves in a run of MLflow; values are sent at the end of each epoch and validation.

    The server is ``MLFLOW_TRACKING_URI``; without it runs are kept in ``mlruns`` in the run folder. The experiment is
    ``MLFLOW_EXPERIMENT_NAME``, or the archive's name. A resumed training goes on with its run.

    Args:
        folder: The run folder.
        experiment: Name of the experiment where the environment has none.
    """

    name = "mlflow"

    def __init__(self, folder: Path, *, experiment: str) -> None:
        self._folder = folder
        self._experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME") or experiment
        self._address = os.environ.get("MLFLOW_TRACKING_URI") or (folder / _STORE).absolute().as_uri()
        self._client: Any = None
        self._entities: Any = None
        self._run = ""
        self._held: list[Any] = []

    def began(self, facts: Mapping[str, Any], *, resumed: bool, step: int) -> None:
        """Begin a run, or go on with the one before, of which nothing can be taken back.

        Raises:
            ResourceError: MLflow is not installed.
        """
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        if self._address.startswith("file:"):
            os.environ.setdefault(_OPEN_FILES, "true")
        try:
            client = importlib.import_module("mlflow.tracking").MlflowClient
            self._entities = importlib.import_module("mlflow.entities")
        except ImportError as error:
            message = f"it is not installed ({error}); write pip install 'vesalia[mlflow]'"
            raise ResourceError(message) from error
        self._client = client(tracking_uri=self._address)
        self._run = self._earlier() if resumed else ""
        if self._run:
            self._client.update_run(self._run, status="RUNNING")
            return
        known = self._client.get_experiment_by_name(self._experiment)
        experiment = known.experiment_id if known else self._client.create_experiment(self._experiment)
        run = self._client.create_run(experiment, tags={"vesalia.run_folder": str(self._folder)})
        self._run = run.info.run_id
        settings = [self._entities.Param(name, _text(value)) for name, value in facts.items()]
        self._client.log_batch(self._run, params=settings)
        write_json(self._folder / RUN_FILE, {"tracking_uri": self._address, "run_id": self._run})

    def record(self, values: Mapping[str, float], step: int) -> None:
        """Hold the values back until there are many."""
        now = int(time.time() * 1000)
        self._held += [self._entities.Metric(tag, float(value), now, step) for tag, value in values.items()]
        if len(self._held) >= _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held = self._held, []
            self._client.log_batch(self._run, metrics=held)

    def ended(self, *, completed: bool) -> None:
        """Send the rest, and close the run."""
        if self._run:
            self.flush()
            self._client.set_terminated(self._run, status="FINISHED" if completed else "FAILED")

    def _earlier(self) -> str:
        """The run that the run folder remembers, if it is one of this store."""
        try:
            known = read_json(self._folder / RUN_FILE)
        except ConfigError:
            return ""
        fits = isinstance(known, dict) and known.get("tracking_uri") == self._address
        return str(known.get("run_id", "")) if fits else ""


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text[:_LONGEST_TEXT]
