"""TensorBoard events."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.summary.writer.record_writer import RecordWriter

from vesalia.errors import ResourceError
from vesalia.training.tensorboard_tracker import TensorBoardTracker


def recorded(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag to (step, value) of the events in a folder."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(e.step, round(e.value, 6)) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_values_by_tag_and_step(tmp_path: Path) -> None:
    board = TensorBoardTracker(tmp_path)
    board.began({}, resumed=False, step=0)
    board.record({"train/loss": 0.75, "train/learning_rate": 0.001}, 1)
    board.record({"train/loss": 0.5}, 2)
    board.flush()
    board.ended(completed=True)
    assert recorded(tmp_path) == {"train/loss": [(1, 0.75), (2, 0.5)], "train/learning_rate": [(1, 0.001)]}


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, the device that is always full")
    board = TensorBoardTracker(tmp_path)
    board._writer = RecordWriter(Path("/dev/full").open("ab", buffering=0))  # noqa: SIM115 - the board closes it
    with pytest.raises(ResourceError, match=r"tfevents.*no space left on the disk"):
        board.record({"a": 1.0}, 1)
    board.ended(completed=False)


def test_a_folder_that_is_none_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        TensorBoardTracker(tmp_path / "file").record({"a": 1.0}, 1)


def test_nothing_recorded_is_no_file(tmp_path: Path) -> None:
    TensorBoardTracker(tmp_path).ended(completed=True)
    assert list(tmp_path.iterdir()) == []


def test_what_was_recorded_can_be_read_at_once(tmp_path: Path) -> None:
    board = TensorBoardTracker(tmp_path)
    board.record({"train/loss": 0.75}, 1)
    assert recorded(tmp_path)["train/loss"] == [(1, 0.75)]
    board.ended(completed=True)


def test_steps_that_are_done_again_are_drawn_once(tmp_path: Path) -> None:
    for resumed, first in ((False, 1), (True, 3)):
        (tmp_path / f"{first}").mkdir()
        board = TensorBoardTracker(tmp_path / f"{first}")
        board.began({}, resumed=resumed, step=first - 1)
        for step in range(first, first + 4):  # the first run is killed after step 4, its state is that of step 2
            board.record({"train/loss": float(10 * first + step)}, step)
        board.ended(completed=True)
    for number, part in enumerate(("1", "3")):
        (events,) = (tmp_path / part).iterdir()
        events.rename(tmp_path / f"events.out.tfevents.{number}")
        (tmp_path / part).rmdir()
    assert recorded(tmp_path)["train/loss"] == [(1, 11), (2, 12), (3, 33), (4, 34), (5, 35), (6, 36)]
