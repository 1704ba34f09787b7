"""When a training has seen enough."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.bench import Bench, ears
from tests.training.fakes import Likeness
from vesalia.training.early_stop import EarlyStop
from vesalia.training.state import Counters


def counters(**changes: float) -> Counters:
    """Where a run stands."""
    made = Counters(best=0.8, best_epoch=3)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_without_a_rule_there_is_no_reason() -> None:
    assert EarlyStop().reason(counters(best=1.0, validations_without_gain=1000)) == ""


@pytest.mark.parametrize(("threshold", "stops"), [(0.7, True), (0.8, True), (0.9, False)])
def test_the_threshold_is_reached_when_it_is_met(threshold: float, stops: bool) -> None:
    assert bool(EarlyStop(threshold=threshold).reason(counters())) == stops


@pytest.mark.parametrize(("stalls", "stops"), [(1, False), (2, True), (3, True)])
def test_patience_ends_with_the_last_validation_it_covers(stalls: int, stops: bool) -> None:
    assert bool(EarlyStop(patience=2).reason(counters(validations_without_gain=stalls))) == stops


def test_a_run_stops_after_its_patience_says_why_and_keeps_the_best(tmp_path: Path) -> None:
    script = [0.2, 0.8, 0.7, 0.8, 0.9]
    bench = Bench(tmp_path, epochs=9, metric=Likeness(script=script), stop_patience=2)
    found = bench.trainer().run()
    assert (found.epoch, found.best, found.best_epoch, found.finished) == (5, 0.8, 2, True)
    said = "stopped early: no gain in 2 validations, stop_patience is 2; the best, 0.8000, is of epoch 2"
    assert ears(bench).of("warned") == [said]


def test_a_threshold_is_told_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, epochs=9, metric=Likeness(script=[0.2, 0.8]), stop_threshold=0.8)
    bench.trainer().run()
    assert ears(bench).of("warned") == ["stopped early: the key metric reached 0.8000, stop_threshold is 0.8"]
