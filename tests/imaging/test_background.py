"""Made in a thread: none at first, once and the same for all who ask."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from vesalia.imaging.background import InBackground, Once


def test_others_go_on_without_it_until_it_is_there() -> None:
    may_end, made = threading.Event(), []

    def make() -> str:
        may_end.wait(10)
        made.append(1)
        return "made"

    thing = InBackground(make)
    assert [thing.get() for _ in range(3)] == [None] * 3
    may_end.set()
    assert thing.thread is not None
    thing.thread.join()
    assert [thing.get() for _ in range(3)] == ["made"] * 3
    assert len(made) == 1


def test_where_it_fails_there_is_none_and_that_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    def make() -> str:
        raise ImportError("Numba needs NumPy 2.4 or less")

    thing = InBackground(make)
    thing.get()
    assert thing.thread is not None
    thing.thread.join()
    assert [thing.get() for _ in range(3)] == [None] * 3
    assert caplog.text.count("cannot compile (ImportError: Numba needs NumPy 2.4 or less)") == 1


def test_where_there_are_no_more_threads_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", full)
    thing = InBackground(lambda: "made")
    assert [thing.get() for _ in range(2)] == [None, None]


def test_once_is_once_whoever_asks() -> None:
    made: list[int] = []
    begun = threading.Event()

    @Once
    def slow() -> int:
        begun.set()
        time.sleep(0.05)
        made.append(7)
        return len(made)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(slow)
        assert begun.wait(20)
        assert {first.result(), *pool.map(lambda _: slow(), range(5))} == {1}
    slow.forget()
    assert slow() == 2
