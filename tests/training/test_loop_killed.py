"""A training that was killed, and goes on from what had been saved before."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.bench import Bench, Falling, assert_same, ears, tiny
from tests.training.fakes import (
    Clock,
    Likeness,
    SlowPipeline,
)
from vesalia.training.listener import Listener, StepReport, ValidationReport
from vesalia.training.schedule import BudgetSchedule
from vesalia.training.state import Counters, read_counters


class Killed(BaseException):
    """The process is gone: nobody catches this, nobody saves anything."""


class Kill(Listener):
    """Ends the process after a step, or when the n-th validation is about to be told."""

    def __init__(self, *, after_step: int | None = None, at_validation: int | None = None) -> None:
        self.after_step, self.at_validation = after_step, at_validation
        self.validations = 0

    def stepped(self, report: StepReport) -> None:
        if report.step == self.after_step:
            raise Killed

    def validated(self, report: ValidationReport) -> None:
        self.validations += 1
        if self.validations == self.at_validation:
            raise Killed


class TestKilled:
    """By something that leaves no time to save: what was saved before must do."""

    SCRIPT = (0.1, 0.0, 0.3, 0.2, 0.5, 0.4)

    def whole(self, folder: Path) -> tuple[Bench, Counters]:
        """The run that nothing happened to."""
        bench = Bench(folder, epochs=6, model=tiny(), metric=Likeness(script=list(self.SCRIPT)), lr_policy=Falling())
        return bench, bench.trainer().run()

    @pytest.mark.parametrize("validation", [1, 3, 5])
    def test_right_after_a_new_best_the_state_knows_of_it(self, tmp_path: Path, validation: int) -> None:
        killed = Bench(tmp_path, metric=Likeness(script=list(self.SCRIPT)), listener=Kill(at_validation=validation))
        killed.epochs = 6
        with pytest.raises(Killed):
            killed.trainer().run()
        stored = read_counters(tmp_path)
        assert stored is not None
        best = self.SCRIPT[validation - 1]
        assert (stored.best, stored.best_epoch, stored.step) == (best, validation, 3 * validation)
        assert not stored.finished

    @pytest.mark.parametrize("validation", [1, 3, 5])
    def test_resuming_after_a_new_best_does_not_judge_it_again(self, tmp_path: Path, validation: int) -> None:
        """Judged twice, the best would be a stretch without gain, and the history would hold it twice."""
        whole, wanted = self.whole(tmp_path / "whole")
        folder, script = tmp_path / "killed", list(self.SCRIPT)
        killed = Bench(folder, epochs=6, model=tiny(), metric=Likeness(script=script), lr_policy=Falling())
        killed.listener = Kill(at_validation=validation)
        with pytest.raises(Killed):
            killed.trainer().run()
        later = Likeness(script=script[validation:])
        resumed = Bench(folder, epochs=6, model=tiny(seed=99), metric=later, lr_policy=Falling(), resume=True)
        counters = resumed.trainer().run()
        assert_same(whole.model, resumed.model)
        assert [report.epoch for report in ears(resumed).of("validated")] == list(range(validation + 1, 7))
        assert (counters.best, counters.best_epoch) == (wanted.best, wanted.best_epoch)
        assert (counters.earlier_stalls, counters.validations_without_gain) == (
            wanted.earlier_stalls,
            wanted.validations_without_gain,
        )

    def test_the_state_saved_now_and_then_has_no_validation_ahead_of_it(self, tmp_path: Path) -> None:
        """Else a resumed run would judge the same weights twice."""
        script = [0.5, 0.4, 0.3, 0.2]
        killed = Bench(tmp_path, model=tiny(), metric=Likeness(script=script), listener=Kill(after_step=7))
        trainer = killed.trainer()
        trainer.keeper.state_every_s = 0.0
        with pytest.raises(Killed):
            trainer.run()
        stored = read_counters(tmp_path)
        assert stored is not None
        assert (stored.epoch, stored.step_in_epoch, stored.step, stored.validations_without_gain) == (3, 0, 6, 1)
        resumed = Bench(tmp_path, model=tiny(seed=99), metric=Likeness(script=script[2:]), resume=True)
        assert resumed.trainer().run().validations_without_gain == 3
        assert [report.epoch for report in ears(resumed).of("validated")] == [3, 4]

    def test_once_the_threshold_is_reached_the_budget_is_over_for_good(self, tmp_path: Path) -> None:
        clock = Clock()
        killed = Bench(tmp_path, metric=Likeness(script=[0.9]), stop_threshold=0.8, listener=Kill(at_validation=1))
        killed.schedule = BudgetSchedule(clock.now + 1003, clock=clock)
        killed.pipeline = SlowPipeline(clock, items=6)
        with pytest.raises(Killed):
            killed.trainer().run()
        stored = read_counters(tmp_path)
        assert stored is not None
        assert stored.schedule == {"fraction": 1.0}
