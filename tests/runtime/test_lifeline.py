"""The line between processes: who failed is heard by all, and whoever hangs up without a word was killed."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from vesalia.runtime import lifeline as module
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


def test_the_others_are_told_before_the_first_rank_can_leave(
    line: list[Lifeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its main thread looks at ``news``: once that is set, it says goodbye and hangs up."""
    seen: list[Failure | None] = []
    tell = line[0]._broadcast

    def note(failure: Failure) -> None:
        seen.append(line[0].news)
        tell(failure)

    monkeypatch.setattr(line[0], "_broadcast", note)
    cut(line[1])
    assert line[2].wait_for_news(_PATIENCE_S) == Failure(1)
    assert seen == [None]


def test_one_that_the_system_killed_for_lack_of_memory_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    kills = [3]
    monkeypatch.setattr(module, "memory_kills", lambda: kills[0])
    monkeypatch.setattr(module, "total_memory_bytes", lambda: 32_000_000_000)
    monkeypatch.setattr(module, "available_memory_bytes", lambda: 9_000_000_000)
    ends = connected(2)
    kills[0] += 1
    cut(ends[1])
    news = ends[0].wait_for_news(_PATIENCE_S)
    assert news is not None
    assert news.kind == ""
    assert str(news) == (
        "rank 1 ended without a word, expected all ranks to go on; the system killed a process for lack of memory: all "
        "processes together needed more than they had, 32.0 GB, of which 9.0 GB are free now; write a smaller "
        "num_cache_objects, cache_budget_gb, num_workers or output_batch_size; go on with --resume"
    )
    for each in ends:
        each.close()


@pytest.mark.parametrize("before", [None, 3])
def test_who_was_killed_for_memory_before_is_no_reason(monkeypatch: pytest.MonkeyPatch, before: int | None) -> None:
    monkeypatch.setattr(module, "memory_kills", lambda: before)
    ends = connected(2)
    cut(ends[1])
    assert ends[0].wait_for_news(_PATIENCE_S) == Failure(1)
    for each in ends:
        each.close()


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


@pytest.mark.parametrize(
    "hello",
    [
        b"",  # a port scanner
        b"GET / HTTP/1.1\r\n",
        b'{"token": "wrong", "rank": 1}\n',
        b'{"rank": 1}\n',
        b"\xff\xfe\n",
        b"x" * 5000,
        b'{"token": ',
    ],
)
@pytest.mark.parametrize("hangs_up", [True, False])
def test_a_stranger_is_turned_away_and_holds_nobody_up(hello: bytes, *, hangs_up: bool) -> None:
    first, other = Lifeline(0, 2), Lifeline(1, 2)
    port, token = first.listen()
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(hello)
        if hangs_up:
            stranger.close()
        other.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)  # it stands in the queue behind
        first.accept(timeout_s=_PATIENCE_S)
        assert list(first._lines) == [1]
        if not hangs_up:
            stranger.settimeout(_PATIENCE_S)
            assert not said_to(stranger)
    other.close()
    first.close()


def said_to(stranger: socket.socket) -> bytes:
    """What a stranger hears; nothing where it is hung up on."""
    try:
        return stranger.recv(1)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ECONNABORTED, errno.EMFILE])
def test_who_cannot_be_let_in_ends_nothing(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    """The system hands out a connection that is gone; the one behind it is the rank's."""
    first, other = Lifeline(0, 2), Lifeline(1, 2)
    port, token = first.listen()
    other.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)
    accept, errors = socket.socket.accept, [OSError(error, "gone")]

    def flaky(server: socket.socket) -> Any:
        if errors:
            raise errors.pop()
        return accept(server)

    monkeypatch.setattr(socket.socket, "accept", flaky)
    first.accept(timeout_s=_PATIENCE_S)
    assert list(first._lines) == [1]
    other.close()
    first.close()


def test_one_rank_cannot_take_the_place_of_another() -> None:
    first, other, again = Lifeline(0, 3), Lifeline(1, 3), Lifeline(1, 3)
    port, token = first.listen()
    for end in (other, again):
        end.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)
    with pytest.raises(TimeoutError, match="2 of 3 ranks are there"):
        first.accept(timeout_s=0.2)
    assert again.wait_for_news(_PATIENCE_S) == Failure(0)  # it was hung up on
    assert other.news is None
    for end in (first, other, again):
        end.close()


def test_a_word_that_comes_at_once_is_not_lost() -> None:
    first, other = Lifeline(0, 2, end=Ends()), Lifeline(1, 2)
    port, token = first.listen()
    other.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)
    other._send(0, {"failed": {"rank": 1, "kind": "DataError", "message": "no such file"}})
    first.accept(timeout_s=_PATIENCE_S)
    assert first.wait_for_news(_PATIENCE_S) == Failure(1, "DataError", "no such file")
    other.close()
    first.close()


def test_a_first_line_may_come_in_parts() -> None:
    first = Lifeline(0, 2)
    port, token = first.listen()
    waiting = threading.Thread(target=first.accept, kwargs={"timeout_s": _PATIENCE_S})
    waiting.start()
    with socket.create_connection(("127.0.0.1", port)) as other:
        other.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in ('{"token": ', f'"{token}", "ra', 'nk": 1}\n'):
            other.sendall(part.encode())
        waiting.join(_PATIENCE_S)
        assert list(first._lines) == [1]
        first.close()


def test_nobody_is_let_in_once_all_are_there() -> None:
    first, other = Lifeline(0, 2), Lifeline(1, 2)
    port, token = first.listen()
    other.call("127.0.0.1", port, token=token, timeout_s=_PATIENCE_S)
    first.accept(timeout_s=_PATIENCE_S)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_S)
    other.close()
    first.close()


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="this system has no such setting")
def test_both_ends_ask_a_silent_machine_for_a_sign_of_life(line: list[Lifeline]) -> None:
    for end in line:
        for connection in end._lines.values():
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
            assert connection.gettimeout() is None


def test_who_does_not_come_is_not_waited_for_for_ever() -> None:
    first = Lifeline(0, 2)
    with pytest.raises(OSError, match="nobody listens"):
        first.accept(timeout_s=0.01)
    first.listen()
    with pytest.raises(TimeoutError):
        first.accept(timeout_s=0.01)
    first.close()
