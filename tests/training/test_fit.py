"""From a plan to a trained model, on an archive that trains in a second."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.training.fakes import Ears
from tests.training.fitting import FakeTime, StopAfter, change, train
from vesalia.errors import Interrupted, ResourceError
from vesalia.inference.card import read_card
from vesalia.inference.weights import load_weights
from vesalia.mmar.validate import plan_training
from vesalia.training import fit as module
from vesalia.training.keeper import Keeper, Standing
from vesalia.training.listener import Audience
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
    "resume-1.safetensors",
}


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
        assert ears.of("closed") == [None]
        assert kinds[-6:] == ["started", "stepped", "epoch_ended", "validating", "validated", "closed"]
        (start,) = ears.of("started")
        assert (start.train_items, start.valid_items, start.steps_per_epoch, start.epochs) == (4, 2, 2, 2)
        assert start.device == "cpu"

    def test_tensorboard_leaves_out_what_has_do_summary_false(self, archive: Path) -> None:
        def quiet(config: dict[str, Any]) -> None:
            aux_ops = ({"tag": "told"}, {"tag": "silent", "do_summary": False})
            config["train"]["aux_ops"] = [{"name": "NegLoss", "args": args} for args in aux_ops]
            config["validate"]["metrics"][0]["args"]["do_summary"] = False

        change(archive, quiet)
        train(archive, "epochs=1")
        events = EventAccumulator(str(archive / "models"))
        events.Reload()
        tags = set(events.Tags()["scalars"])
        assert "epoch/told" in tags
        assert not tags & {"epoch/silent", "validation/mean_dice"}
        history = (archive / "models" / "history.jsonl").read_text()
        assert '"silent"' in history
        assert '"mean_dice"' in history

    def test_the_callers_dice_are_left_alone(self, archive: Path) -> None:
        torch.manual_seed(5)
        before = torch.get_rng_state()
        train(archive, "epochs=1")
        assert torch.equal(before, torch.get_rng_state())

    @pytest.mark.parametrize(
        ("lacking", "said"),
        [
            (lambda config: config.pop("validate"), "no validate section"),
            (lambda config: config["validate"].update(metrics=[]), "no metric in validate"),
        ],
    )
    def test_a_config_without_validation_keeps_the_last_model(
        self, archive: Path, lacking: Callable[[dict[str, Any]], None], said: str
    ) -> None:
        change(archive, lacking)
        result = train(archive, "epochs=1")
        assert (result.key_metric, result.best_epoch) == ("", 0)
        assert math.isnan(result.best_metric)
        assert result.best_model.read_bytes() == result.last_model.read_bytes()
        assert any(said in note for note in result.notes)


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

    def test_the_manifest_tells_of_each_session_and_what_was_changed(self, archive: Path) -> None:
        path = archive / "models" / "manifest.json"
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(1))
        before = json.loads(path.read_text())
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(2), resume=True)
        train(archive, "epochs=2", "learning_rate=0.01", resume=True)
        manifest = json.loads(path.read_text())
        first, second = manifest.pop("resumed")
        assert manifest == before
        assert (first["seed"], first["precision"], first["changes"]) == (1, "32-true", {})
        assert {"python", "torch"} <= first["versions"].keys()
        assert second["changes"]["config.epochs"] == {"before": 4, "now": 2}
        assert set(second["changes"]) >= {"config.epochs", "config.learning_rate"}
        assert not any("train" in key for key in second["changes"])

    def test_a_manifest_that_is_gone_is_written_anew(self, archive: Path) -> None:
        path = archive / "models" / "manifest.json"
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(1))
        path.unlink()
        train(archive, "epochs=1", resume=True)
        assert json.loads(path.read_text())["config"]["epochs"] == 1

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

    def test_a_finished_run_has_nothing_to_resume_under_a_budget_either(self, trained: Path) -> None:
        before = {path.name: path.read_bytes() for path in (trained / "models").glob("model*")}
        ears = Ears()
        result = train(trained, resume=True, seed=None, deadline=time.time() + 3600, listener=ears)
        assert any("nothing to resume" in note for note in result.notes)
        assert any("nothing to resume" in text for text in ears.of("warned"))
        assert (ears.of("started"), ears.of("stepped"), ears.of("closed")) == ([], [], [None])
        assert {path.name: path.read_bytes() for path in (trained / "models").glob("model*")} == before

    def test_another_seed_is_told_and_the_run_s_own_is_kept(self, archive: Path, trained_once: Path) -> None:
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(3))
        ears = Ears()
        result = train(archive, resume=True, seed=2, listener=ears)
        assert result.seed == 1
        assert "--seed: a resumed run keeps its seed, 1" in result.notes
        assert "--seed: a resumed run keeps its seed, 1" in ears.of("started")[0].notes
        assert result.last_model.read_bytes() == (trained_once / "models" / "model_final.safetensors").read_bytes()

    @pytest.mark.parametrize("seed", [1, None])
    def test_the_same_seed_or_none_needs_no_note(self, archive: Path, seed: int | None) -> None:
        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(7))
        assert not any("--seed" in note for note in train(archive, resume=True, seed=seed).notes)

    def test_a_best_model_that_the_state_does_not_know_of_yet_counts(
        self, archive: Path, trained_once: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A kill between the writing of the two: the model must not give way to a worse one."""

        class Killed(BaseException):
            pass

        save_best = Keeper.save_best

        def save_and_die(keeper: Keeper, run: Standing) -> None:
            save_best(keeper, run)
            raise Killed

        with pytest.raises(Interrupted):
            train(archive, listener=StopAfter(1))
        monkeypatch.setattr(Keeper, "save_best", save_and_die)
        with pytest.raises(Killed):
            train(archive, resume=True)
        monkeypatch.undo()
        stored, card = read_counters(archive / "models"), read_card(archive / "models" / "model")
        assert stored is not None
        assert (stored.step, stored.best_epoch, card["epoch"]) == (1, 0, 2)
        ears = Ears()
        result = train(archive, resume=True, listener=ears)
        first = ears.of("validated")[0]
        assert (first.epoch, first.best, first.value) == (2, True, card["metric"]["value"])  # as if nothing had been
        assert result.best_metric == read_card(trained_once / "models" / "model")["metric"]["value"]
        assert result.best_model.read_bytes() == (trained_once / "models" / "model.safetensors").read_bytes()

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


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"0": "background", "1": "ball"}, ("background", "ball")),
        ({"1": "ball"}, ("background", "ball")),
        ({"background": 0, "ball": 1}, ("background", "ball")),
        (None, ("background", "class_1")),
        (["background", "ball"], ("background", "class_1")),
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
    assert module._class_names(plan) == names


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU here")
def test_a_run_on_a_gpu_goes_on_with_its_optimizer_beside_the_weights(archive: Path) -> None:
    with pytest.raises(Interrupted):
        train(archive, "epochs=2", listener=StopAfter(1), device="cuda")
    assert train(archive, "epochs=2", resume=True, device="cuda").resumed
