"""What a training leaves on disk."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.training.fakes import Run, make_run
from vesalia.errors import ResourceError
from vesalia.training.keeper import Keeper
from vesalia.training.state import STATE_FILE, Counters, read_counters


def card(counters: Counters) -> dict[str, Any]:
    """A card that tells where the run stood."""
    return {"epoch": counters.epoch}


def names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def holds(path: Path, run: Run) -> bool:
    """Whether a file holds the weights of ``run``."""
    found = load_file(path)
    return all(torch.equal(value, found[name]) for name, value in run.model.state_dict().items())


def test_the_best_model_is_a_pair_of_weights_and_card(tmp_path: Path) -> None:
    run = make_run(counters=Counters(epoch=3))
    Keeper(folder=tmp_path, describe=card).save_best(run)
    assert names(tmp_path) == {"model.safetensors", "model.json"}
    assert holds(tmp_path / "model.safetensors", run)
    assert json.loads((tmp_path / "model.json").read_text())["epoch"] == 3


def test_the_last_model_comes_with_the_state_and_leaves_the_best_alone(tmp_path: Path) -> None:
    best, last = make_run(seed=1, counters=Counters(best_epoch=1)), make_run(seed=2, counters=Counters(best_epoch=1))
    keeper = Keeper(folder=tmp_path, describe=card)
    keeper.save_best(best)
    keeper.save_last(last)
    assert names(tmp_path) == {
        "model.safetensors",
        "model.json",
        "model_final.safetensors",
        "model_final.json",
        STATE_FILE,
    }
    assert holds(tmp_path / "model.safetensors", best)
    assert holds(tmp_path / "model_final.safetensors", last)


def test_without_a_best_model_the_last_is_it(tmp_path: Path) -> None:
    run = make_run()
    Keeper(folder=tmp_path, describe=card).save_last(run)
    assert holds(tmp_path / "model.safetensors", run)
    assert holds(tmp_path / "model_final.safetensors", run)


def test_the_state_holds_where_the_schedule_is(tmp_path: Path) -> None:
    run = make_run(counters=Counters(step=5))
    run.schedule.fraction = 0.5
    Keeper(folder=tmp_path, describe=card).save_state(run)
    found = read_counters(tmp_path)
    assert found is not None
    assert (found.step, found.schedule) == (5, {"fraction": 0.5})


def test_states_are_saved_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    run = make_run()
    keeper = Keeper(folder=tmp_path, describe=card, state_every_s=30.0, _saved=now[0])
    seen = []
    for second in (10, 29, 31, 40, 60, 62):
        now[0] = 1000.0 + second
        run.counters.step = second
        keeper.save_state_now_and_then(run)
        found = read_counters(tmp_path)
        seen.append(found.step if found else None)
    assert seen == [None, None, 31, 31, 31, 62]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    keeper, run = Keeper(folder=tmp_path, describe=card), make_run()
    for save in (keeper.save_best, keeper.save_last, keeper.save_state):
        with pytest.raises(ResourceError, match="no space left"):
            save(run)
    assert names(tmp_path) == set()
