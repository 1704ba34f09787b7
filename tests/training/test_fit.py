"""From a plan to a trained model, on an archive that trains in a second."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.tiny_archive import read_config, write_config
from tests.training.fakes import Ears
from vesalia.errors import ConfigError, DataError, Interrupted, ResourceError
from vesalia.inference.card import read_card
from vesalia.inference.weights import load_weights
from vesalia.mmar.validate import plan_training
from vesalia.runtime.interrupts import StopRequest
from vesalia.training import fit as module
from vesalia.training.fit import TrainOptions, class_names, fit
from vesalia.training.listener import Audience, Listener, StepReport
from vesalia.training.result import TrainResult
from vesalia.training.schedule import BudgetSchedule
from vesalia.training.state import read_counters

FILES = {
    "history.jsonl",
    "manifest.json",
    "model.json",
    "model.safetensors",
    "model_final.json",
    "model_final.safetensors",
    "resume.safetensors",
}


class StopAfter(Listener):
    """Sends Ctrl-C to this process after a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, report: StepReport) -> None:
        if report.step == self.step:
            signal.raise_signal(signal.SIGINT)


def train(archive: Path, *overrides: str, listener: Listener | None = None, **options: Any) -> TrainResult:
    """Train an archive on the CPU."""
    plan = plan_training(archive, overrides=overrides)
    with StopRequest() as stop:
        return fit(plan, TrainOptions(**{"seed": 1, "device": "cpu", **options}), listener=listener, stop=stop)


def weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file."""
    return load_file(path)


def change(archive: Path, how: Callable[[dict[str, Any]], None]) -> None:
    """Change the train config."""
    config = read_config(archive)
    how(config)
    write_config(archive, config)


class TestARun:
    def test_it_leaves_models_records_and_a_manifest(self, archive: Path) -> None:
        result = train(archive)
        folder = archive / "models"
        names = {path.name for path in folder.iterdir()}
        assert {name for name in names if not name.startswith("events.out.tfevents")} == FILES
        assert len(names) == len(FILES) + 1
        assert (result.run_folder, result.best_model) == (folder, folder / "model.safetensors")
        assert result.last_model == folder / "model_final.safetensors"
        assert (result.key_metric, result.epochs, result.steps, result.seed) == ("mean_dice", 4, 8, 1)
        assert result.best_epoch in {2, 4}
        assert 0 <= result.best_metric <= 1
        assert result.seconds > 0
        assert not result.resumed

    def test_the_card_tells_network_classes_config_and_metric(self, trained_once: Path) -> None:
        card = read_card(trained_once / "models" / "model")
        assert card["class_names"] == ["background", "ball"]
        assert (card["in_channels"], card["model"]["name"]) == (1, "SegResnet")
        assert card["metric"]["name"] == "mean_dice"
        assert card["config"]["epochs"] == 4
        assert "{DATA_ROOT}" not in json.dumps(card["config"])

    def test_the_model_can_be_loaded(self, trained_once: Path) -> None:
        loaded = load_weights(trained_once / "models" / "model_final")
        with torch.no_grad():
            assert loaded.model(torch.zeros(1, 1, 8, 8, 8)).shape == (1, 2, 8, 8, 8)

    def test_the_manifest_tells_what_decided_the_result(self, trained_once: Path, balls: Path) -> None:
        manifest = json.loads((trained_once / "models" / "manifest.json").read_text())
        assert (manifest["seed"], manifest["precision"]) == (1, "32-true")
        assert len(manifest["data"]["train"]) == 8
        assert len(manifest["data"]["validate"]) == 4
        assert str(balls.parent / "imagesTr" / "case_0.nii.gz") in manifest["data"]["train"]

    def test_the_history_has_an_epoch_or_a_validation_a_line(self, trained_once: Path) -> None:
        lines = [json.loads(line) for line in (trained_once / "models" / "history.jsonl").read_text().splitlines()]
        assert [(line["kind"], line["epoch"]) for line in lines] == [
            ("epoch", 1),
            ("epoch", 2),
            ("validation", 2),
            ("epoch", 3),
            ("epoch", 4),
            ("validation", 4),
        ]

    def test_the_listener_hears_the_whole_course(self, archive: Path) -> None:
        ears = Ears()
        train(archive, "epochs=2", listener=ears)
        kinds = list(dict.fromkeys(kind for kind, _ in ears.heard))
        assert kinds[-6:] == ["started", "stepped", "epoch_ended", "validating", "validated", "closed"]
        (start,) = ears.of("started")
        assert (start.train_items, start.valid_items, start.steps_per_epoch, start.epochs) == (4, 2, 2, 2)
        assert start.device == "cpu"

    def test_the_callers_dice_are_left_alone(self, archive: Path) -> None:
        torch.manual_seed(5)
        before = torch.get_rng_state()
        train(archive, "epochs=1")
        assert torch.equal(before, torch.get_rng_state())

    def test_a_config_without_validation_keeps_the_last_model(self, archive: Path) -> None:
        change(archive, lambda config: config.pop("validate"))
        result = train(archive, "epochs=1")
        assert (result.key_metric, result.best_epoch) == ("", 0)
        assert math.isnan(result.best_metric)
        assert result.best_model.read_bytes() == result.last_model.read_bytes()
        assert any("no validate section" in note for note in result.notes)


class TestSeeds:
    def test_the_same_seed_gives_bit_identical_weights(self, archive: Path, trained_once: Path) -> None:
        """Two runs, other numbers of workers, other dice of the caller."""
        change(archive, lambda config: config["train"]["image_pipeline"]["args"].update(num_workers=3))
        torch.manual_seed(time.time_ns())
        result = train(archive)
        assert result.last_model.read_bytes() == (trained_once / "models" / "model_final.safetensors").read_bytes()
        assert result.best_model.read_bytes() == (trained_once / "models" / "model.safetensors").read_bytes()

    def test_another_seed_gives_other_weights(self, archive: Path, trained_once: Path) -> None:
        result = train(archive, seed=2)
        assert result.last_model.read_bytes() != (trained_once / "models" / "model_final.safetensors").read_bytes()

    def test_the_config_s_determinism_is_the_seed(self, archive: Path) -> None:
        change(archive, lambda config: config.update(determinism={"random_seed": 77}))
        assert train(archive, "epochs=1", seed=None).seed == 77

    def test_without_a_seed_one_is_drawn_and_told(self, archive: Path) -> None:
        result = train(archive, "epochs=1", seed=None)
        assert read_counters(result.run_folder).seed == result.seed  # type: ignore[union-attr]


class TestResuming:
    @pytest.mark.parametrize("step", [1, 2, 4, 7, 8])
    def test_ctrl_c_saves_and_resuming_ends_bit_identical(self, archive: Path, trained_once: Path, step: int) -> None:
        with pytest.raises(Interrupted, match="go on with --resume"):
            train(archive, listener=StopAfter(step))
        assert not (archive / "models" / "model_final.safetensors").exists()
        result = train(archive, resume=True, seed=None)
        assert result.resumed
        assert (result.seed, result.steps, result.epochs) == (1, 8, 4)
        assert result.last_model.read_bytes() == (trained_once / "models" / "model_final.safetensors").read_bytes()
        assert result.best_model.read_bytes() == (trained_once / "models" / "model.safetensors").read_bytes()

    def test_the_history_has_no_line_twice(self, archive: Path) -> None:
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(5))
        train(archive, resume=True)
        lines = [json.loads(line) for line in (archive / "models" / "history.jsonl").read_text().splitlines()]
        seen = [(line["kind"], line["epoch"]) for line in lines]
        assert len(seen) == len(set(seen)) == 6

    def test_a_finished_run_says_so_and_changes_nothing(self, trained: Path) -> None:
        before = (trained / "models" / "model_final.safetensors").read_bytes()
        ears = Ears()
        result = train(trained, resume=True, seed=None, listener=ears)
        assert result.resumed
        assert (result.epochs, result.steps) == (4, 8)
        assert any("nothing to resume" in note for note in result.notes)
        assert any("nothing to resume" in text for text in ears.of("warned"))
        assert not ears.of("stepped")
        assert result.last_model.read_bytes() == before

    def test_a_run_that_had_reached_its_threshold_is_finished(self, archive: Path) -> None:
        threshold = ("epochs=9", "stop_threshold=0.01")
        first = train(archive, *threshold)
        assert first.epochs < 9
        result = train(archive, *threshold, resume=True)
        assert result.steps == first.steps
        assert any("nothing to resume" in note for note in result.notes)

    def test_a_stopped_run_goes_on_under_a_budget_from_its_fraction(
        self, archive: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = FakeTime()
        monkeypatch.setattr(module, "BudgetSchedule", lambda deadline: BudgetSchedule(deadline, clock=clock))
        first, second = Ears(), Ears()
        with pytest.raises(Interrupted):
            train(archive, deadline=23.0, listener=Audience(first, StopAfter(6)))
        train(archive, deadline=clock.now + 23.0, listener=second, resume=True)
        assert (
            0 < first.of("stepped")[-1].fraction < second.of("stepped")[0].fraction < second.of("stepped")[-1].fraction
        )

    def test_more_epochs_extend_a_finished_run(self, trained: Path) -> None:
        result = train(trained, "epochs=6", resume=True)
        assert (result.epochs, result.steps) == (6, 12)

    def test_where_there_is_nothing_to_resume_it_starts_afresh(self, archive: Path, trained_once: Path) -> None:
        result = train(archive, resume=True)
        assert not result.resumed
        assert result.last_model.read_bytes() == (trained_once / "models" / "model_final.safetensors").read_bytes()

    def test_without_resume_the_earlier_run_is_kept_aside(self, trained: Path) -> None:
        result = train(trained, "epochs=1")
        (previous,) = (trained / "models" / "previous").iterdir()
        assert {"model.safetensors", "manifest.json", "history.jsonl"} <= {path.name for path in previous.iterdir()}
        assert any(str(previous) in note for note in result.notes)

    def test_a_run_that_cannot_begin_leaves_the_earlier_one_where_it_is(self, trained: Path) -> None:
        before = {path.name for path in (trained / "models").iterdir()}
        with pytest.raises(ResourceError, match="--budget"):
            train(trained, deadline=time.time() - 1)
        assert {path.name for path in (trained / "models").iterdir()} == before


class FakeTime:
    """A clock on which each look takes half a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.5
        return self.now


class TestBudget:
    def test_it_is_respected_on_a_clock_of_its_own(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = FakeTime()
        monkeypatch.setattr(module, "BudgetSchedule", lambda deadline: BudgetSchedule(deadline, clock=clock))
        ears = Ears()
        result = train(archive, deadline=23.0, listener=ears)
        assert clock.now <= 23.0
        fractions = [report.fraction for report in ears.of("stepped")]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        assert result.steps == len(fractions) > 4
        assert ears.of("validated")[-1].step == result.steps
        assert ears.of("started")[0].epochs is None

    def test_the_learning_rate_falls_over_the_budget(self, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = FakeTime()
        monkeypatch.setattr(module, "BudgetSchedule", lambda deadline: BudgetSchedule(deadline, clock=clock))
        ears = Ears()
        train(archive, deadline=23.0, listener=ears)
        rates = [report.learning_rate for report in ears.of("stepped")]
        assert rates[0] == 0.02
        assert rates == sorted(rates, reverse=True)
        assert rates[-1] < 0.01

    def test_a_budget_that_is_over_says_so(self, archive: Path) -> None:
        with pytest.raises(ResourceError, match="expected time to train in; write a larger budget"):
            train(archive, deadline=time.time() - 60)


class TestFineTuning:
    def test_a_checkpoint_is_started_from_and_told(self, archive: Path, trained_once: Path) -> None:
        start = trained_once / "models" / "model_final.ckpt"
        result = train(archive, f"MMAR_CKPT={start}", "epochs=1", "learning_rate=1e-12")
        assert any("loaded" in note for note in result.notes)
        before = weights(trained_once / "models" / "model_final.safetensors")
        for name, value in weights(result.last_model).items():
            torch.testing.assert_close(value, before[name], atol=1e-6, rtol=0)


class StopWhileFilling(Listener):
    """Sends Ctrl-C when the first item is in the cache."""

    def filling(self, done: int, total: int) -> None:
        if done == 1:
            signal.raise_signal(signal.SIGINT)


class TestTrouble:
    def test_ctrl_c_while_the_cache_is_filled_need_not_wait_and_writes_nothing(self, archive: Path) -> None:
        def cached(config: dict[str, Any]) -> None:
            pipeline = config["train"]["image_pipeline"]
            pipeline["name"] = "SegmentationImagePipelineWithCache"
            pipeline["args"].update(num_cache_objects=4, replace_percent=0.0)

        change(archive, cached)
        with pytest.raises(Interrupted, match="while the cache was being filled; nothing was trained yet"):
            train(archive, listener=StopWhileFilling())
        assert list((archive / "models").iterdir()) == []

    def test_several_gpus_asked_for_is_told(self, archive: Path) -> None:
        assert any("multi_gpu" in note for note in train(archive, "epochs=1", "multi_gpu=true").notes)

    def test_a_device_that_is_not_there(self, archive: Path) -> None:
        with pytest.raises(ConfigError, match="--device: found 'tpu'"):
            train(archive, device="tpu")

    def test_an_image_that_is_gone_is_named_and_nothing_is_written(
        self, archive: Path, tmp_path: Path, balls: Path
    ) -> None:
        listed = json.loads(balls.read_text())
        listed["training"][1]["image"] = "imagesTr/gone.nii.gz"
        (tmp_path / "dataset.json").write_text(json.dumps(listed))
        with pytest.raises((DataError, ConfigError), match=r"gone\.nii\.gz"):
            train(archive, f"DATASET_JSON={tmp_path / 'dataset.json'}")
        assert list((archive / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"0": "background", "1": "ball"}, ("background", "ball")),
        ({"1": "ball"}, ("class 0", "ball")),
        ({"background": 0, "ball": 1}, ("background", "ball")),
        (None, ("class 0", "class 1")),
        (["background", "ball"], ("class 0", "class 1")),
    ],
)
def test_class_names_come_from_the_data_list(
    archive: Path, tmp_path: Path, balls: Path, labels: Any, names: tuple[str, ...]
) -> None:
    listed = json.loads(balls.read_text())
    listed.pop("labels")
    if labels is not None:
        listed["labels"] = labels
    (tmp_path / "dataset.json").write_text(json.dumps(listed))
    plan = plan_training(archive, overrides=[f"DATASET_JSON={tmp_path / 'dataset.json'}"])
    assert class_names(plan) == names
