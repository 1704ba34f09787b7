"""How long a training lasts: by epochs as in v3, and by a clock that is faked here."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.fakes import Clock
from vesalia.errors import ResourceError
from vesalia.training.schedule import BudgetSchedule, EpochSchedule


class Course:
    """A training under a budget: what it did, and when."""

    def __init__(self, budget_s: float, *, validation_s: float = 0.0, cases: int = 10, slower: float = 1.0) -> None:
        self.clock = Clock()
        self.began = self.clock.now
        self.schedule = BudgetSchedule(self.began + budget_s, clock=self.clock)
        self.validation_s, self.cases, self.slower = validation_s, cases, slower
        self.fractions: list[float] = []
        self.validated_at: list[float] = []

    def run(self, step_s: float) -> float:
        """Train to the end; returns the seconds it took, the last validation included."""
        if self.validation_s:
            self.schedule.rehearsed(seconds_per_case=self.validation_s / self.cases, cases=self.cases)
        step = 0
        while not self.schedule.finished:
            step += 1
            self.clock.now += step_s
            self.schedule.stepped(epoch=1, step=step, steps_per_epoch=10**9)
            self.fractions.append(self.schedule.fraction)
            if self.schedule.due(epoch=1, epoch_ended=False) and self.schedule.fraction < 1.0:
                self.validate()
        if self.validation_s:
            self.validate()
        return self.clock.now - self.began

    def validate(self) -> None:
        """A validation of as many cases as fit into the time that the schedule allows, at least one."""
        self.validated_at.append(self.schedule.fraction)
        case_s = self.validation_s * self.slower / self.cases
        took = case_s * max(1, min(self.cases, int(self.schedule.validation_seconds() / case_s)))
        self.clock.now += took
        self.schedule.validated(seconds=took)


class TestEpochs:
    @given(st.integers(1, 50), st.integers(1, 30), st.integers(1, 12))
    def test_it_ends_after_the_last_step_of_the_last_epoch_and_not_before(
        self, epochs: int, steps: int, valid_every: int
    ) -> None:
        schedule = EpochSchedule(epochs, valid_every)
        judged = []
        for epoch in range(1, epochs + 1):
            for step in range(1, steps + 1):
                assert not schedule.finished
                schedule.stepped(epoch=epoch, step=step, steps_per_epoch=steps)
                assert not schedule.due(epoch=epoch, epoch_ended=False)
            if schedule.due(epoch=epoch, epoch_ended=True):
                judged.append(epoch)
        assert schedule.finished
        assert schedule.fraction == 1.0
        assert judged == list(range(valid_every, epochs + 1, valid_every))

    def test_the_fraction_is_epochs_done_with_parts_of_epochs(self) -> None:
        schedule = EpochSchedule(10, 1)
        schedule.stepped(epoch=3, step=2, steps_per_epoch=4)
        assert schedule.fraction == pytest.approx(0.25)

    def test_the_first_step_of_an_epoch_sees_what_the_last_one_left(self) -> None:
        """A resumed run begins an epoch with the very number it would have had."""
        one, other = EpochSchedule(7, 1), EpochSchedule(7, 1)
        one.stepped(epoch=2, step=3, steps_per_epoch=3)
        other.stepped(epoch=3, step=0, steps_per_epoch=3)
        assert one.fraction == other.fraction

    def test_it_knows_no_clock(self) -> None:
        schedule = EpochSchedule(5, 1)
        schedule.rehearsed(seconds_per_case=100.0, cases=9)
        schedule.validated(seconds=900.0)
        assert schedule.seconds_left() is None
        assert schedule.validation_seconds() == math.inf

    def test_restoring_leaves_the_fraction_to_the_epoch(self) -> None:
        schedule = EpochSchedule(20, 1)
        schedule.restore({"fraction": 1.0})
        assert not schedule.finished


class TestBudget:
    @given(st.floats(20, 4000), st.floats(0.05, 2.0))
    def test_it_ends_within_the_budget_and_uses_it(self, budget_s: float, step_s: float) -> None:
        took = Course(budget_s).run(step_s)
        assert budget_s - 5.5 - 2 * step_s <= took <= budget_s

    @given(st.floats(60, 4000), st.floats(0.05, 1.0), st.floats(0.1, 200.0))
    def test_it_ends_within_the_budget_whatever_a_validation_costs(
        self, budget_s: float, step_s: float, validation_s: float
    ) -> None:
        course = Course(budget_s, validation_s=validation_s)
        assert course.run(step_s) <= budget_s
        assert 1 <= len(course.validated_at) <= 10

    @given(st.floats(100, 2000), st.floats(1.0, 20.0))
    def test_the_fraction_rises_evenly_to_one(self, budget_s: float, validation_s: float) -> None:
        course = Course(budget_s, validation_s=validation_s)
        course.run(0.5)
        rises = [after - before for before, after in zip(course.fractions, course.fractions[1:], strict=False)]
        assert min(rises) > 0
        assert course.fractions[-1] == 1.0
        assert max(rises[:-2]) < 2.5 * (sum(rises) / len(rises))

    def test_validations_take_about_a_tenth_and_lie_evenly(self) -> None:
        course = Course(503, validation_s=10)
        course.run(0.1)
        assert len(course.validated_at) == 5
        assert course.validated_at == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], abs=0.01)

    def test_there_are_never_more_than_ten(self) -> None:
        course = Course(1003, validation_s=0.01)
        course.run(0.5)
        assert len(course.validated_at) == 10

    def test_a_validation_slower_than_rehearsed_bends_the_curve_and_never_the_end(self) -> None:
        course = Course(503, validation_s=10, slower=2.0)
        assert course.run(0.1) <= 503
        assert course.fractions[-1] == 1.0

    def test_a_validation_too_long_for_the_budget_is_done_in_part(self) -> None:
        clock = Clock()
        schedule = BudgetSchedule(clock.now + 103, clock=clock)
        schedule.rehearsed(seconds_per_case=2.0, cases=40)
        assert schedule.validation_seconds() == pytest.approx(30)  # of the 100 s

    def test_room_is_kept_for_the_part_that_is_judged(self) -> None:
        clock = Clock()
        schedule = BudgetSchedule(clock.now + 103, clock=clock)
        schedule.rehearsed(seconds_per_case=2.0, cases=40)
        for step in range(69):  # the 70th would end at the reserved 30 s
            assert not schedule.finished
            clock.now += 1
            schedule.stepped(epoch=1, step=step + 1, steps_per_epoch=100)
        assert schedule.finished

    def test_a_validation_has_no_more_than_what_is_left(self) -> None:
        clock = Clock()
        schedule = BudgetSchedule(clock.now + 103, clock=clock)
        schedule.rehearsed(seconds_per_case=2.0, cases=10)
        clock.now += 90
        assert schedule.validation_seconds() == pytest.approx(10)
        clock.now += 15
        assert schedule.validation_seconds() < 0

    @given(st.floats(100, 4000), st.floats(0.05, 1.0), st.floats(0.1, 1.0), st.floats(1.0, 4.0))
    def test_cases_slower_than_rehearsed_do_not_overrun_the_end(
        self, budget_s: float, step_s: float, case_s: float, slower: float
    ) -> None:
        course = Course(budget_s, validation_s=100 * case_s, cases=100, slower=slower)
        assert course.run(step_s) <= budget_s

    def test_time_spent_rehearsing_is_no_training_time(self) -> None:
        clock = Clock()
        schedule = BudgetSchedule(clock.now + 103, clock=clock)
        clock.now += 50
        schedule.rehearsed(seconds_per_case=0.001, cases=1)
        clock.now += 1
        schedule.stepped(epoch=1, step=1, steps_per_epoch=10)
        assert schedule.fraction == pytest.approx(1 / 50, rel=0.01)

    def test_a_budget_that_setting_up_has_used_up_says_by_how_much(self) -> None:
        clock = Clock()
        with pytest.raises(ResourceError, match=r"--budget: found .* 7 s past the budget, expected time to train in"):
            BudgetSchedule(clock.now - 4, clock=clock)

    def test_seconds_left_come_from_the_clock(self) -> None:
        clock = Clock()
        schedule = BudgetSchedule(clock.now + 103, clock=clock)
        clock.now += 40
        assert schedule.seconds_left() == pytest.approx(60)
        clock.now += 400
        assert schedule.seconds_left() == 0.0

    def test_a_resumed_run_goes_on_from_its_fraction(self) -> None:
        course = Course(103)
        course.schedule.restore({"fraction": 0.5})
        course.run(1.0)
        assert course.fractions[0] == pytest.approx(0.505)
        assert course.fractions[-1] == 1.0

    @pytest.mark.parametrize(("fraction", "laid"), [(0.0, [0.2, 0.4, 0.6, 0.8, 1]), (0.7, [0.76, 0.82, 0.88, 0.94, 1])])
    def test_a_resumed_run_lays_its_validations_over_what_is_left(self, fraction: float, laid: list[float]) -> None:
        course = Course(503, validation_s=10)
        course.schedule.restore({"fraction": fraction})
        course.run(0.1)
        assert course.validated_at == pytest.approx(laid, abs=0.01)

    def test_what_it_stores_is_what_it_restores(self) -> None:
        clock = Clock()
        one, other = (BudgetSchedule(clock.now + 103, clock=clock) for _ in range(2))
        clock.now += 20
        one.stepped(epoch=1, step=1, steps_per_epoch=10)
        other.restore(one.to_dict())
        assert other.fraction == one.fraction > 0


def test_epochs_know_their_last_one_and_a_budget_does_not() -> None:
    assert [EpochSchedule(2, 1).goes_on_after(epoch) for epoch in (1, 2, 3)] == [True, False, False]
    assert BudgetSchedule(1000.0, clock=lambda: 0.0).goes_on_after(99)
