"""What a run writes of its course."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.training.fakes import epoch_report, run_start, step_report, validation_report
from vesalia.errors import ResourceError
from vesalia.inference.curves import HISTORY_FILE
from vesalia.training.tracking import HistoryFile, Tracker, Tracking


def strict_lines(path: Path) -> list[dict[str, Any]]:
    """The lines, read as strictly as other programs do: NaN is no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in path.read_text().splitlines()]


class TestHistory:
    def test_a_line_per_epoch_and_per_validation(self, tmp_path: Path) -> None:
        history = HistoryFile(tmp_path)
        history.epoch_ended(epoch_report(epoch=1, step=3, loss=0.5))
        history.validated(validation_report(epoch=1, step=3))
        epoch, validation = strict_lines(tmp_path / HISTORY_FILE)
        assert (epoch["kind"], epoch["step"], epoch["loss"], epoch["values"]) == ("epoch", 3, 0.5, {"neg_loss": -0.5})
        assert (validation["kind"], validation["metrics"]["dice"]) == ("validation", 0.8)
        assert validation["per_class"]["dice"] == [0.7, 0.9]
        assert "unprinted" not in validation

    def test_what_is_no_number_is_null(self, tmp_path: Path) -> None:
        history = HistoryFile(tmp_path)
        history.epoch_ended(epoch_report(loss=math.nan))
        history.validated(validation_report(metrics={"dice": math.inf}, per_class={"dice": (math.nan, 0.5)}))
        epoch, validation = strict_lines(tmp_path / HISTORY_FILE)
        assert epoch["loss"] is None
        assert validation["metrics"] == {"dice": None}
        assert validation["per_class"] == {"dice": [None, 0.5]}

    def test_a_new_run_begins_with_an_empty_file(self, tmp_path: Path) -> None:
        HistoryFile(tmp_path).epoch_ended(epoch_report())
        HistoryFile(tmp_path)
        assert (tmp_path / HISTORY_FILE).read_text() == ""

    def test_resuming_drops_the_lines_of_steps_that_are_done_again(self, tmp_path: Path) -> None:
        history = HistoryFile(tmp_path)
        for step in (3, 6, 9):
            history.epoch_ended(epoch_report(step=step))
        HistoryFile(tmp_path, keep_until_step=6).epoch_ended(epoch_report(step=9, loss=0.1))
        assert [(line["step"], line["loss"]) for line in strict_lines(tmp_path / HISTORY_FILE)] == [
            (3, 0.5),
            (6, 0.5),
            (9, 0.1),
        ]

    @pytest.mark.parametrize("torn", ['{"kind": "epoch", "st', "[]", "7", '{"kind": "epoch"}', "\x00\x00"])
    def test_a_line_torn_by_a_kill_is_dropped(self, tmp_path: Path, torn: str) -> None:
        HistoryFile(tmp_path).epoch_ended(epoch_report(step=3))
        with (tmp_path / HISTORY_FILE).open("a") as stream:
            stream.write(torn)
        HistoryFile(tmp_path, keep_until_step=100)
        assert [line["step"] for line in strict_lines(tmp_path / HISTORY_FILE)] == [3]

    def test_a_full_disk_is_said_in_words(self, tmp_path: Path) -> None:
        history = HistoryFile(tmp_path)
        history.path = Path("/dev/full")
        if not history.path.exists():
            pytest.skip("needs /dev/full, the device that is always full")
        with pytest.raises(ResourceError, match="no space left"):
            history.epoch_ended(epoch_report())


class Notebook(Tracker):
    """Remembers what it is told, or fails from a call on."""

    def __init__(self, name: str = "notebook", *, fails_at: str = "") -> None:
        self.name = name
        self.fails_at = fails_at
        self.told: list[Any] = []

    def _note(self, kind: str, *what: Any) -> None:
        if kind == self.fails_at:
            message = f"{kind} went wrong\nsecond line"
            raise ConnectionError(message)
        self.told.append((kind, *what))

    def began(self, facts: Mapping[str, Any], *, resumed: bool, step: int) -> None:
        self._note("began", facts, resumed, step)

    def record(self, values: Mapping[str, float], step: int) -> None:
        self._note("record", dict(values), step)

    def flush(self) -> None:
        self._note("flush")

    def ended(self, *, completed: bool) -> None:
        self._note("ended", completed)

    def tags(self) -> dict[str, list[tuple[int, float]]]:
        """Tag to (step, value)."""
        found: dict[str, list[tuple[int, float]]] = {}
        for kind, *what in self.told:
            if kind == "record":
                for tag, value in what[0].items():
                    found.setdefault(tag, []).append((what[1], value))
        return found


def tell(tracking: Tracking) -> None:
    """A short training."""
    tracking.started(run_start())
    tracking.stepped(step_report(step=1, loss=0.75))
    tracking.stepped(step_report(step=2, loss=0.5))
    tracking.epoch_ended(epoch_report(step=2))
    tracking.validated(validation_report(step=2))
    tracking.closed()


class TestTracking:
    def test_steps_epochs_and_validations(self) -> None:
        notebook = Notebook()
        tell(Tracking([notebook], warn=pytest.fail))
        assert notebook.tags() == {
            "train/loss": [(1, 0.75), (2, 0.5)],
            "train/learning_rate": [(1, 0.001), (2, 0.001)],
            "epoch/loss": [(2, 0.5)],
            "epoch/samples_per_s": [(2, 3.0)],
            "epoch/waiting_share": [(2, 0.1)],
            "epoch/neg_loss": [(2, -0.5)],
            "validation/dice": [(2, 0.8)],
            "validation/other": [(2, 0.1)],
        }
        assert notebook.told.count(("flush",)) == 2
        assert notebook.told[-1] == ("ended", True)

    @pytest.mark.parametrize(("interval", "steps"), [(0, []), (1, [1, 2, 3, 4, 5, 6]), (3, [3, 6])])
    def test_the_interval_counts_steps_and_0_is_once_an_epoch(self, interval: int, steps: list[int]) -> None:
        notebook = Notebook()
        tracking = Tracking([notebook], warn=pytest.fail, interval=interval)
        for step in range(1, 7):
            tracking.stepped(step_report(step=step))
        tracking.epoch_ended(epoch_report(step=6))
        found = notebook.tags()
        assert [step for step, _ in found.get("train/loss", [])] == steps
        assert "epoch/loss" in found

    def test_hidden_tags_are_left_out(self) -> None:
        notebook = Notebook()
        tracking = Tracking([notebook], warn=pytest.fail, hidden=frozenset({"validation/other", "epoch/dice"}))
        tracking.epoch_ended(epoch_report(values={"dice": 0.5, "other": 0.25}))
        tracking.validated(validation_report())
        found = notebook.tags()
        assert [tag for tag in found if tag.startswith("validation/")] == ["validation/dice"]
        assert {"epoch/dice", "epoch/other"} & found.keys() == {"epoch/other"}

    def test_what_is_known_of_the_run(self) -> None:
        notebook = Notebook()
        tracking = Tracking([notebook], warn=pytest.fail, facts={"model": "Unet"})
        tracking.started(run_start(resumed_from=3, resumed_step=7, notes=("long",)))
        kind, facts, *begun = notebook.told[0]
        assert (kind, facts["model"], facts["device"], begun) == ("began", "Unet", "cpu", [True, 7])
        assert "notes" not in facts

    @pytest.mark.parametrize("fails_at", ["began", "record", "flush", "ended"])
    def test_one_that_fails_is_left_out_with_one_warning(self, fails_at: str) -> None:
        said: list[str] = []
        sound, broken = Notebook(), Notebook("broken", fails_at=fails_at)
        tell(Tracking([broken, sound], warn=said.append))
        line = f"trackers: broken failed and is left out from here on ({fails_at} went wrong); the training goes on"
        assert said == [line]
        assert sound.told[-1] == ("ended", True)
        if fails_at != "ended":
            assert ("ended", True) not in broken.told

    def test_a_training_that_fails_is_told_so(self) -> None:
        notebook = Notebook()
        tracking = Tracking([notebook], warn=pytest.fail)
        with contextlib.suppress(ArithmeticError), contextlib.ExitStack() as closing:
            closing.callback(tracking.closed)
            raise ArithmeticError
        assert notebook.told == [("ended", False)]
