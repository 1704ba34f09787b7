"""What the ranks of a training tell each other of their data, so that the first can tell the user."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.training.bench import Bench, ears
from tests.training.fakes import Ears
from vesalia.mmar.plan import TrainPlan
from vesalia.mmar.validate import plan_training
from vesalia.runtime.interrupts import StopRequest
from vesalia.runtime.together import Ranks
from vesalia.training.fit import TrainOptions, _Setup
from vesalia.training.listener import Audience

Value = TypeVar("Value")


class Scripted(Ranks):
    """One of two; what the other one tells is given."""

    def __init__(self, rank: int, other: Any) -> None:
        self.rank, self.world = rank, 2
        self.other = other
        self.told: list[Any] = []

    def gather(self, value: Value) -> list[Value]:
        self.told.append(value)
        return [value, self.other] if self.rank == 0 else [self.other, value]


def setup(plan: TrainPlan, ranks: Ranks) -> tuple[_Setup, Ears]:
    """A run in preparation, and who listens to it."""
    heard = Ears()
    audience = Audience(*([heard] if ranks.first else []))
    return _Setup(plan, TrainOptions(), 1, audience, StopRequest(), contextlib.ExitStack(), ranks), heard


@pytest.fixture
def plan(archive: Path) -> TrainPlan:
    return plan_training(archive)


def test_what_another_rank_skips_is_told_by_the_first_once(plan: TrainPlan) -> None:
    run, heard = setup(plan, Scripted(0, ["case_3 is broken", "case_1 is broken"]))
    run._notice("case_1 is broken")
    run._hear_of_others()
    run._hear_of_others()
    assert heard.of("warned") == run.notes == ["case_1 is broken", "case_3 is broken"]


def test_another_rank_hands_over_what_is_new(plan: TrainPlan) -> None:
    ranks = Scripted(1, ["case_1 is broken"])
    run, _ = setup(plan, ranks)
    run._notice("case_3 is broken")
    run._hear_of_others()
    run._hear_of_others()
    assert ranks.told == [["case_3 is broken"], []]
    assert run.notes == []


def test_ranks_hear_of_each_other_at_the_end_of_each_epoch_after_its_validation(tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=3)
    trainer = bench.trainer()
    heard: list[int] = []
    trainer.epoch_over = lambda: heard.append(len(ears(bench).of("validated")))
    trainer.run()
    assert heard == [1, 2, 3]
