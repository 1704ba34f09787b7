"""A training under a time budget, on a clock that only moves when batches and samples say so."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.training.bench import Bench, ears
from tests.training.fakes import (
    Clock,
    SlowPipeline,
)
from vesalia.training.schedule import BudgetSchedule


def slow_bench(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, budget_s: float, items: int, sample_s: list[float]
) -> tuple[Bench, Clock]:
    """A training whose data takes the time that its clock says."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    bench = Bench(folder, cases=SlowPipeline(clock, items=items, sample_s=sample_s))
    bench.pipeline = SlowPipeline(clock, items=6, batch_s=0.5)
    bench.schedule = BudgetSchedule(clock.now + budget_s, clock=clock)
    return bench, clock


class TestBudget:
    @pytest.mark.parametrize(
        ("budget_s", "items", "sample_s"),
        [
            (103, 2, [0.5]),  # short: many validations
            (103, 40, [2.0]),  # the whole list would take 80 s
            (103, 40, [1.0, 1.0, 1.0, 1.0, 4.0]),  # slower than rehearsed
            (103, 40, [9.0, 9.0, 9.0, 9.0, 1.0]),  # faster than rehearsed
            (63, 9, [15.0]),  # rehearsing four would take it all
        ],
    )
    def test_slow_loading_does_not_overrun_the_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget_s: float, items: int, sample_s: list[float]
    ) -> None:
        """Samples take their time to load, and none to judge."""
        bench, clock = slow_bench(tmp_path, monkeypatch, budget_s=budget_s, items=items, sample_s=sample_s)
        began = clock.now
        counters = bench.trainer().run()
        assert budget_s / 2 < clock.now - began <= budget_s
        assert counters.finished
        reports = ears(bench).of("validated")
        assert reports[-1].step == counters.step > 10
        assert all(1 <= report.cases <= items for report in reports)
        assert sum(report.seconds for report in reports) <= budget_s / 2

    def test_a_list_too_long_is_judged_in_part_and_the_report_says_how_many(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench, _ = slow_bench(tmp_path, monkeypatch, budget_s=103, items=40, sample_s=[2.0])
        bench.trainer().run()
        (report,) = ears(bench).of("validated")
        assert report.cases == 15  # 30 of the 100 s
        assert report.seconds == 30.0

    def test_a_resumed_run_does_not_begin_with_a_burst_of_validations(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench, _ = slow_bench(tmp_path, monkeypatch, budget_s=103, items=2, sample_s=[1.0])
        assert bench.schedule is not None
        bench.schedule.restore({"fraction": 0.7})
        counters = bench.trainer().run()
        judged_at = [report.step / counters.step for report in ears(bench).of("validated")]
        assert judged_at == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], abs=0.05)
