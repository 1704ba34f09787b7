"""The line between processes: who failed is heard by all, and whoever hangs up without a word was killed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from vesalia.runtime.lifeline import Failure, Lifeline

_PATIENCE_S = 30.0


class Ends:
    """Stands for the end of the process."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.with_: tuple[Failure, bool] | None = None

    def __call__(self, failure: Failure, *, speaks: bool) -> None:
        self.with_ = (failure, speaks)
        self.asked.set()


def connected(world: int, **more: Any) -> list[Lifeline]:
    """The ends of a line, one per rank."""
    ends = [Lifeline(rank, world, **{"end": Ends(), **more}) for rank in range(world)]
    port, token = ends[0].listen()
    waiting = threading.Thread(target=ends[0].accept, kwargs={"timeout_s": _PATIENCE_S})
    waiting.start()
    for end in ends[1:]:
        end.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)
    waiting.join(_PATIENCE_S)
    return ends


@pytest.fixture
def line() -> Iterator[list[Lifeline]]:
    ends = connected(3)
    yield ends
    for end in ends:
        end.close()


def cut(end: Lifeline) -> None:
    """What the system does with the connections of a process that is killed."""
    end._closed.set()  # it hears nothing any more
    for connection in end._lines.values():
        connection.shutdown(socket.SHUT_RDWR)


def test_a_failure_is_heard_by_all_and_answered(line: list[Lifeline]) -> None:
    failure = Failure(2, "DataError", "no such file", 2)
    assert line[2].tell(failure)
    assert [line[rank].wait_for_news(_PATIENCE_S) for rank in (0, 1)] == [failure, failure]
    assert str(failure) == "rank 2: no such file"


def test_the_first_rank_s_failure_is_heard_by_all(line: list[Lifeline]) -> None:
    failure = Failure(0, "ConfigError", "write 3", 2)
    assert line[0].tell(failure)
    assert [line[rank].wait_for_news(_PATIENCE_S) for rank in (1, 2)] == [failure, failure]


@pytest.mark.parametrize("killed", [0, 1])
def test_who_hangs_up_without_a_word_was_killed(line: list[Lifeline], killed: int) -> None:
    cut(line[killed])
    others = [end for rank, end in enumerate(line) if rank != killed]
    assert [end.wait_for_news(_PATIENCE_S) for end in others] == [Failure(killed)] * 2
    assert f"rank {killed} ended without a word" in str(Failure(killed))


def test_the_first_failure_counts(line: list[Lifeline]) -> None:
    first = Failure(1, "DataError", "first")
    line[1].tell(first)
    line[2].wait_for_news(_PATIENCE_S)
    line[2].tell(Failure(2, "DataError", "second"))
    assert line[0].news == first


def test_a_goodbye_is_no_failure() -> None:
    ends = connected(2)
    for end in reversed(ends):
        end.close()
    assert [end.wait_for_news(0.05) for end in ends] == [None, None]


def test_where_the_first_is_gone_nobody_has_heard() -> None:
    ends = connected(2)
    cut(ends[0])
    assert ends[1].wait_for_news(_PATIENCE_S) == Failure(0)
    for each in ends:
        each.close()


def test_a_process_that_hangs_is_ended() -> None:
    end = Ends()
    ends = connected(2, grace_s=0.0, end=end)
    failure = Failure(1, "DataError", "no such file")
    ends[1].tell(failure)
    assert end.asked.wait(_PATIENCE_S)
    assert end.with_ == (failure, True)
    for each in ends:
        each.close()


def test_one_that_ends_by_itself_is_left_alone() -> None:
    end = Ends()
    ends = connected(2, grace_s=_PATIENCE_S, end=end)
    ends[1].tell(Failure(1, "DataError", "no such file"))
    for each in ends:
        each.close()
    assert not end.asked.is_set()


def test_a_stranger_is_turned_away() -> None:
    first = Lifeline(0, 2)
    port, token = first.listen()
    waiting = threading.Thread(target=first.accept, kwargs={"timeout_s": _PATIENCE_S})
    waiting.start()
    for hello in (b"GET / HTTP/1.1\r\n", b'{"token": "wrong", "rank": 1}\n'):
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(hello)
    other = Lifeline(1, 2)
    other.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)
    waiting.join(_PATIENCE_S)
    assert list(first._lines) == [1]
    other.close()
    first.close()


def test_who_does_not_come_is_not_waited_for_for_ever() -> None:
    first = Lifeline(0, 2)
    with pytest.raises(OSError, match="nobody listens"):
        first.accept(timeout_s=0.01)
    first.listen()
    with pytest.raises(TimeoutError):
        first.accept(timeout_s=0.01)
    first.close()
