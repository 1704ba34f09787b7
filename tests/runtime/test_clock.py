"""When this process began."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import time

import pytest

from vesalia.runtime import clock


def test_this_process_began_before_now_and_the_same_each_time() -> None:
    assert clock.process_started() == clock.process_started() < time.time()


def test_seconds_since_start_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "process_started", lambda: 1000.0)
    monkeypatch.setattr(time, "time", lambda: 1012.5)
    assert clock.seconds_since_start() == 12.5


def test_a_clock_set_back_gives_no_negative_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "process_started", lambda: time.time() + 100)
    assert clock.seconds_since_start() == 0.0


def test_the_start_of_a_new_process_counts_its_imports() -> None:
    code = "import time; time.sleep(0.3); from vesalia.runtime import clock as c; "
    code += "print(c.seconds_since_start(), c.process_started())"
    before = time.time()
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, started = map(float, answer.stdout.split())
    assert seconds >= 0.3
    assert abs(started - before) < 5
