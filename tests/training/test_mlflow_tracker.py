"""MLflow: a store of files, offline; and a training that does not mind when it fails."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_archive import make_archive, make_data
from tests.training.fakes import Ears
from tests.training.fitting import train
from vesalia.errors import ResourceError
from vesalia.training.mlflow_tracker import RUN_FILE, MlflowTracker

pytest.importorskip("mlflow", reason="needs the extra mlflow")
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server is named, and what MLflow sets and warns of is gone afterwards."""
    for name in [name for name in os.environ if name.startswith("MLFLOW_")]:
        monkeypatch.delenv(name)
    for name in ("MLFLOW_ALLOW_FILE_STORE", "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    warnings.filterwarnings("ignore", module="mlflow")
    warnings.filterwarnings("ignore", module="pydantic")


def run_of(folder: Path) -> Any:
    """The run that a folder remembers, and its client."""
    from mlflow.tracking import MlflowClient

    known = json.loads((folder / RUN_FILE).read_text())
    client = MlflowClient(tracking_uri=known["tracking_uri"])
    return client, client.get_run(known["run_id"])


def tracked(folder: Path, *, resumed: bool = False, steps: range = range(1, 3)) -> None:
    """A short training."""
    tracker = MlflowTracker(folder, experiment="spleen")
    tracker.began(
        {"model": "Unet", "learning_rate": 0.001, "args": {"a": [1]}, "long": "x" * 900}, resumed=resumed, step=0
    )
    for step in steps:
        tracker.record({"train/loss": 1 / step}, step)
    tracker.flush()
    tracker.flush()
    tracker.ended(completed=True)


def test_settings_and_curves_are_kept_in_files(tmp_path: Path) -> None:
    tracked(tmp_path)
    client, run = run_of(tmp_path)
    assert run.data.params["model"] == "Unet"
    assert (run.data.params["args"], len(run.data.params["long"])) == ('{"a": [1]}', 500)
    assert [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "train/loss")] == [(1, 1.0), (2, 0.5)]
    assert (run.info.status, client.get_experiment(run.info.experiment_id).name) == ("FINISHED", "spleen")
    assert (tmp_path / "mlruns").is_dir()


def test_a_resumed_training_goes_on_with_its_run(tmp_path: Path) -> None:
    tracked(tmp_path)
    first = run_of(tmp_path)[1].info.run_id
    tracked(tmp_path, resumed=True, steps=range(3, 5))
    client, run = run_of(tmp_path)
    assert run.info.run_id == first
    assert [m.step for m in client.get_metric_history(first, "train/loss")] == [1, 2, 3, 4]
    tracked(tmp_path)
    assert run_of(tmp_path)[1].info.run_id != first  # a new training, in the same experiment


@pytest.mark.parametrize("left", [None, "{", "[]", '{"tracking_uri": "http://elsewhere", "run_id": "1"}'])
def test_a_run_of_another_store_is_left_alone(tmp_path: Path, left: str | None) -> None:
    if left is not None:
        (tmp_path / RUN_FILE).write_text(left)
    tracked(tmp_path, resumed=True)
    assert run_of(tmp_path)[1].info.status == "FINISHED"


def test_the_environment_names_server_and_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "server").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "liver")
    tracked(tmp_path)
    client, run = run_of(tmp_path)
    assert client.get_experiment(run.info.experiment_id).name == "liver"
    assert not (tmp_path / "mlruns").exists()


def test_many_values_are_sent_before_the_end(tmp_path: Path) -> None:
    tracker = MlflowTracker(tmp_path, experiment="spleen")
    tracker.began({}, resumed=False, step=0)
    for step in range(500):
        tracker.record({"a": 1.0}, step)
    client, run = run_of(tmp_path)
    assert len(client.get_metric_history(run.info.run_id, "a")) == 500
    tracker.ended(completed=False)
    assert run_of(tmp_path)[1].info.status == "FAILED"


def test_without_mlflow_the_line_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    tracker = MlflowTracker(tmp_path, experiment="spleen")
    with pytest.raises(ResourceError, match=r"pip install 'vesalia\[mlflow\]'"):
        tracker.began({}, resumed=False, step=0)
    tracker.ended(completed=False)


def test_a_training_with_both_trackers_and_with_none(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "archive", make_data(tmp_path / "data"))
    train(archive, "trackers=tensorboard,mlflow", "epochs=1")
    client, run = run_of(archive / "models")
    assert (run.info.status, run.data.params["model"]) == ("FINISHED", "SegResnet")
    assert len(client.get_metric_history(run.info.run_id, "train/loss")) == 2
    assert "validation/mean_dice" in run.data.metrics
    assert list((archive / "models").glob("events.out.tfevents.*"))
    train(archive, "trackers=", "epochs=1")
    assert not list((archive / "models").glob("events.out.tfevents.*"))


def test_a_training_does_not_mind_a_tracker_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_archive(tmp_path / "archive", make_data(tmp_path / "data"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://nowhere")
    ears = Ears()
    result = train(archive, "trackers=mlflow", "epochs=1", listener=ears)
    assert result.steps == 2
    (said,) = [message for message in ears.of("warned") if "trackers" in message]
    assert said.startswith("trackers: mlflow failed and is left out from here on")
