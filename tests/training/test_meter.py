"""What an epoch measured, with a clock that is faked."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import time

import pytest

from tests.training.fakes import FakePipeline, as_pipeline
from vesalia.training.meter import Meter
from vesalia.training.schedule import EpochSchedule
from vesalia.training.state import Counters


class Bench:
    """A meter, a pipeline and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.pipeline = FakePipeline()
        self.meter = Meter()
        self.meter.begin(as_pipeline(self.pipeline))

    def step(self, loss: float, *, took: float = 1.0, waited: float = 0.0, samples: int = 2) -> None:
        """A step of ``took`` seconds, ``waited`` of them spent on data."""
        self.now += took
        self.pipeline.waiting += waited
        self.meter.add(loss, {"neg_loss": -loss}, samples=samples)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_an_epoch_has_means_sums_and_shares(bench: Bench) -> None:
    bench.step(1.0, took=1.0, waited=0.5)
    bench.step(0.5, took=3.0, waited=0.5, samples=6)
    report = bench.meter.epoch_report(Counters(epoch=4, step=9), 0.01)
    assert (report.epoch, report.step, report.learning_rate) == (4, 9, 0.01)
    assert report.loss == pytest.approx(0.75)
    assert report.values == {"neg_loss": pytest.approx(-0.75)}
    assert report.seconds == pytest.approx(4.0)
    assert report.samples_per_s == pytest.approx(2.0)
    assert report.waiting_share == pytest.approx(0.25)


def test_a_pause_does_not_count(bench: Bench) -> None:
    bench.step(1.0)
    bench.now += 500
    bench.pipeline.waiting += 400
    bench.meter.pause()
    bench.step(1.0)
    report = bench.meter.epoch_report(Counters(), 0.01)
    assert report.seconds == pytest.approx(2.0)
    assert report.waiting_share == 0.0


def test_an_epoch_begins_empty(bench: Bench) -> None:
    bench.step(9.0)
    assert bench.meter.steps == 1
    bench.meter.begin(as_pipeline(bench.pipeline))
    assert bench.meter.steps == 0
    bench.step(1.0)
    report = bench.meter.epoch_report(Counters(), 0.01)
    assert report.loss == 1.0
    assert report.seconds == pytest.approx(1.0)


def test_what_the_next_epochs_data_made_wait_counts_with_that_epoch(bench: Bench) -> None:
    bench.step(1.0)
    bench.meter.clear()  # the epoch is told; then a moving cache waits for what it lacks
    bench.now += 3.0
    bench.pipeline.waiting += 3.0
    bench.meter.begin(as_pipeline(bench.pipeline))
    bench.step(1.0)
    report = bench.meter.epoch_report(Counters(), 0.01)
    assert report.seconds == pytest.approx(4.0)
    assert report.waiting_share == pytest.approx(0.75)


def test_a_value_that_only_some_steps_have_is_their_mean(bench: Bench) -> None:
    bench.step(1.0)
    bench.now += 1
    bench.meter.add(1.0, {"extra": 4.0}, samples=2)
    assert bench.meter.epoch_report(Counters(), 0.1).values == {"neg_loss": -1.0, "extra": 4.0}


def test_steps_too_quick_for_the_clock_divide_by_nothing(bench: Bench) -> None:
    bench.step(1.0, took=0.0)
    assert math.isfinite(bench.meter.epoch_report(Counters(), 0.1).samples_per_s)


def test_a_step_report_tells_the_newest_loss_and_smoothed_rates(bench: Bench) -> None:
    schedule = EpochSchedule(10, 1)
    bench.step(1.0, took=1.0, waited=1.0)
    first = bench.meter.step_report(Counters(epoch=1, step=1), schedule, learning_rate=0.01)
    bench.step(0.25, took=1.0)
    second = bench.meter.step_report(Counters(epoch=1, step=2), schedule, learning_rate=0.005)
    assert (first.loss, first.step) == (1.0, 1)
    assert first.samples_per_s == pytest.approx(2.0)
    assert first.waiting_share == pytest.approx(1.0)
    assert (second.loss, second.step, second.learning_rate) == (0.25, 2, 0.005)
    assert second.waiting_share == pytest.approx(0.95)


def test_the_time_to_the_end_follows_from_what_was_done(bench: Bench) -> None:
    schedule = EpochSchedule(10, 1)
    for step in (1, 2, 3):
        bench.step(1.0, took=2.0)
        schedule.stepped(epoch=1, step=step, steps_per_epoch=3)
        report = bench.meter.step_report(Counters(), schedule, learning_rate=0.1)
    assert report.fraction == pytest.approx(0.1)
    assert report.eta_s == pytest.approx(27 * 2.0)


def test_the_first_step_cannot_tell_the_time_to_the_end(bench: Bench) -> None:
    bench.step(1.0)
    assert math.isnan(bench.meter.step_report(Counters(), EpochSchedule(10, 1), learning_rate=0.1).eta_s)


def test_a_schedule_that_knows_the_end_is_believed(bench: Bench) -> None:
    class Ending(EpochSchedule):
        def seconds_left(self) -> float:
            return 42.0

    bench.step(1.0)
    assert bench.meter.step_report(Counters(), Ending(10, 1), learning_rate=0.1).eta_s == 42.0
