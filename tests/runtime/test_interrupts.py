"""Real signals, sent to this very process."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from vesalia.runtime.interrupts import StopRequest

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    """Whatever a test does, the process's own handlers come back."""
    before = [signal.getsignal(number) for number in BOTH]
    yield
    after = [signal.getsignal(number) for number in BOTH]
    for number, handler in zip(BOTH, before, strict=True):
        signal.signal(number, handler)
    assert after == before, "the handlers were not put back"


@pytest.mark.parametrize("number", BOTH)
def test_the_first_signal_asks(number: signal.Signals) -> None:
    with StopRequest() as stop:
        assert not stop
        signal.raise_signal(number)
        assert stop
        assert stop.signal_number == number


@pytest.mark.parametrize("second", BOTH)
def test_the_second_signal_insists(second: signal.Signals) -> None:
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(second)
        assert stop.signal_number == signal.SIGINT


def test_leaving_by_an_error_puts_the_handlers_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError), StopRequest():
        _ = 1 / (signal.getsignal(signal.SIGTERM) == before)  # 0: another handler is in place
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_request_stays_after_leaving() -> None:
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGTERM)
    assert stop.signal_number == signal.SIGTERM


def test_one_inside_another() -> None:
    with StopRequest() as outer:
        with StopRequest() as inner:
            signal.raise_signal(signal.SIGINT)
        assert inner
        assert not outer
        signal.raise_signal(signal.SIGINT)
        assert outer


def test_in_another_thread_it_does_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with StopRequest() as stop:
            seen.extend([bool(stop), signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, before]


def test_a_program_may_set_it_by_hand() -> None:
    stop = StopRequest()
    stop.signal_number = 2
    assert stop
