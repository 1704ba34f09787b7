"""What a run writes of its course."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.record_writer import RecordWriter

from tests.training.fakes import epoch_report, step_report, validation_report
from vesalia.errors import ResourceError
from vesalia.inference.curves import HISTORY_FILE
from vesalia.training.tracking import HistoryFile, TensorBoard


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


def recorded(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag to (step, value) of the events in a folder."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, round(e.value, 6)) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


class TestTensorBoard:
    def test_steps_epochs_and_validations(self, tmp_path: Path) -> None:
        board = TensorBoard(tmp_path)
        board.stepped(step_report(step=1, loss=0.75))
        board.stepped(step_report(step=2, loss=0.5))
        board.epoch_ended(epoch_report(step=2))
        board.validated(validation_report(step=2))
        board.closed()
        found = recorded(tmp_path)
        assert found["train/loss"] == [(1, 0.75), (2, 0.5)]
        assert found["train/learning_rate"] == [(1, 0.001), (2, 0.001)]
        assert found["epoch/loss"] == [(2, 0.5)]
        assert found["epoch/neg_loss"] == [(2, -0.5)]
        assert found["validation/dice"] == [(2, 0.8)]

    @pytest.mark.parametrize(("interval", "steps"), [(0, []), (1, [1, 2, 3, 4, 5, 6]), (3, [3, 6])])
    def test_the_interval_counts_steps_and_0_is_once_an_epoch(
        self, tmp_path: Path, interval: int, steps: list[int]
    ) -> None:
        board = TensorBoard(tmp_path, interval=interval)
        for step in range(1, 7):
            board.stepped(step_report(step=step))
        board.epoch_ended(epoch_report(step=6))
        board.closed()
        found = recorded(tmp_path)
        assert [step for step, _ in found.get("train/loss", [])] == steps
        assert "epoch/loss" in found

    def test_hidden_tags_are_left_out(self, tmp_path: Path) -> None:
        board = TensorBoard(tmp_path, hidden=frozenset({"validation/other", "epoch/dice"}))
        board.epoch_ended(epoch_report(values={"dice": 0.5, "other": 0.25}))
        board.validated(validation_report())
        board.closed()
        found = recorded(tmp_path)
        assert [tag for tag in found if tag.startswith("validation/")] == ["validation/dice"]
        assert {"epoch/dice", "epoch/other"} & found.keys() == {"epoch/other"}

    def test_a_full_disk_is_said_in_words(self, tmp_path: Path) -> None:
        if not Path("/dev/full").exists():
            pytest.skip("needs /dev/full, the device that is always full")
        board = TensorBoard(tmp_path)
        board.closed()
        board._writer = RecordWriter(Path("/dev/full").open("ab", buffering=0))  # noqa: SIM115 - the board closes it
        with pytest.raises(ResourceError, match=r"tfevents.*no space left on the disk"):
            board.stepped(step_report())
        board.closed()

    def test_a_folder_that_is_none_is_said_in_words(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(ResourceError, match="cannot be written"):
            TensorBoard(tmp_path / "file").stepped(step_report())

    def test_nothing_recorded_is_no_file(self, tmp_path: Path) -> None:
        TensorBoard(tmp_path).closed()
        assert list(tmp_path.iterdir()) == []

    def test_what_was_recorded_can_be_read_at_once(self, tmp_path: Path) -> None:
        board = TensorBoard(tmp_path)
        board.stepped(step_report(step=1, loss=0.75))
        assert recorded(tmp_path)["train/loss"] == [(1, 0.75)]
        board.closed()
