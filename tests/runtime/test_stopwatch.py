"""The stopwatch: time goes to the innermost stage, and only where somebody watches."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest

from vesalia.runtime.stopwatch import Spent, Stopwatch, stage


class Clock:
    """Moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


def test_time_goes_to_the_innermost_stage(clock: Clock) -> None:
    with Stopwatch() as watch:
        for _ in range(2):
            with stage("outer"):
                clock.now += 1
                with stage("inner"):
                    clock.now += 5
                clock.now += 2
    assert watch.spent == {("outer",): Spent(6.0, 2), ("outer", "inner"): Spent(10.0, 2)}


def test_an_error_leaves_the_stages(clock: Clock) -> None:
    def fail() -> None:
        with stage("one"), stage("two"):
            clock.now += 1
            raise ValueError("x")

    with Stopwatch() as watch:
        with pytest.raises(ValueError, match="x"):
            fail()
        with stage("three"):
            clock.now += 1
    assert watch.spent == {("one", "two"): Spent(1.0, 1), ("one",): Spent(0.0, 1), ("three",): Spent(1.0, 1)}


def test_nobody_watches_outside_and_in_other_threads(clock: Clock) -> None:
    def work() -> None:
        with stage("elsewhere"):
            clock.now += 1

    with Stopwatch() as watch:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    work()
    assert watch.spent == {}


def test_the_watch_before_watches_again(clock: Clock) -> None:
    with Stopwatch() as first:
        with Stopwatch() as second, stage("a"):
            clock.now += 1
        with stage("b"):
            clock.now += 1
    assert (list(first.spent), list(second.spent)) == ([("b",)], [("a",)])
    first.clear()
    assert first.spent == {}


def test_the_device_is_waited_for_before_each_look(clock: Clock) -> None:
    def wait() -> None:
        clock.now += 10

    with Stopwatch(wait) as watch, stage("gpu"):
        pass
    assert watch.spent == {("gpu",): Spent(10.0, 1)}
