"""Training on from the weights of an earlier run, those in the run folder itself included."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.fitting import StopAfter, train, weights
from vesalia.errors import CheckpointError, ConfigError, Interrupted
from vesalia.inference.weights import load_weights, save_weights
from vesalia.training.result import TrainResult


class TestFineTuning:
    def test_a_checkpoint_is_started_from_and_told(self, archive: Path, trained_once: Path) -> None:
        start = trained_once / "models" / "model_final.ckpt"
        result = train(archive, f"MMAR_CKPT={start}", "epochs=1", "learning_rate=1e-12")
        assert any("loaded" in note for note in result.notes)
        before = weights(trained_once / "models" / "model_final.safetensors")
        for name, value in weights(result.last_model).items():
            torch.testing.assert_close(value, before[name], atol=1e-6, rtol=0)

    @pytest.fixture
    def fine_tuning(self, trained: Path) -> Callable[..., TrainResult]:
        """Trains on from the best model in the run folder itself."""

        def run(**options: Any) -> TrainResult:
            start = f"MMAR_CKPT={trained / 'models' / 'model.ckpt'}"
            return train(trained, start, "epochs=2", "learning_rate=0.001", **options)

        return run

    def test_a_start_inside_the_run_folder_stays_and_a_copy_is_kept(
        self, trained: Path, fine_tuning: Callable[..., TrainResult]
    ) -> None:
        models = trained / "models"
        before = {name: (models / name).read_bytes() for name in ("model.safetensors", "model.json")}
        with pytest.raises(Interrupted):
            fine_tuning(listener=StopAfter(1))
        (previous,) = (models / "previous").iterdir()
        for name, content in before.items():
            assert (models / name).read_bytes() == content
            assert (previous / name).read_bytes() == content
        assert (previous / "model_final.safetensors").exists()
        assert not (models / "model_final.safetensors").exists()

    def test_starting_again_works(self, trained: Path, fine_tuning: Callable[..., TrainResult]) -> None:
        with pytest.raises(Interrupted):
            fine_tuning(listener=StopAfter(1))
        result = fine_tuning()
        assert any("loaded" in note for note in result.notes)
        assert len(list((trained / "models" / "previous").iterdir())) == 2

    def test_resuming_ends_as_if_nothing_had_been(
        self, trained: Path, tmp_path: Path, fine_tuning: Callable[..., TrainResult]
    ) -> None:
        """Not even the value on the card of the model it started from counts as the run's own best."""
        kept = shutil.copytree(trained / "models", tmp_path / "kept")
        whole = fine_tuning()
        wanted = (whole.best_metric, whole.best_epoch, whole.best_model.read_bytes(), whole.last_model.read_bytes())
        shutil.rmtree(trained / "models")
        shutil.copytree(kept, trained / "models")
        card = json.loads((trained / "models" / "model.json").read_text())
        better = {**card, "metric": {**card["metric"], "value": 0.9999}}
        loaded = load_weights(trained / "models" / "model")
        save_weights(trained / "models" / "model", loaded.model, card=better)
        with pytest.raises(Interrupted):
            fine_tuning(listener=StopAfter(1))
        found = fine_tuning(resume=True)
        assert found.resumed
        assert (found.best_metric, found.best_epoch) == wanted[:2]
        assert found.best_model.read_bytes() == wanted[2]
        assert found.last_model.read_bytes() == wanted[3]

    def test_resuming_does_not_need_the_start(self, archive: Path, trained_once: Path, tmp_path: Path) -> None:
        shutil.copytree(trained_once / "models", tmp_path / "start")
        told = (f"MMAR_CKPT={tmp_path / 'start' / 'model.ckpt'}", "epochs=2")
        with pytest.raises(Interrupted):
            train(archive, *told, listener=StopAfter(1))
        shutil.rmtree(tmp_path / "start")
        result = train(archive, *told, resume=True)
        assert (result.resumed, result.steps) == (True, 4)
        assert not any("loaded" in note for note in result.notes)

    def test_a_start_that_is_gone_is_told_where_it_is_needed(self, archive: Path, tmp_path: Path) -> None:
        with pytest.raises((CheckpointError, ConfigError), match="gone"):
            train(archive, f"MMAR_CKPT={tmp_path / 'gone' / 'model.ckpt'}")
