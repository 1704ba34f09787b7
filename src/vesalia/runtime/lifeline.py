"""A line between the processes of a job: when one fails or is killed, the others know which and why, and end.

The first rank listens; each other holds one connection to it as long as it lives. A word of failure goes through the
first rank to all. A connection that ends without a goodbye is a process that ended without a word: killed. What ranks
say to each other is JSON, a line each.

Who touches what: the thread of a connection reads from it and may set ``news`` (once, under the lock); the main thread
sends, and reads ``news``. A last thread ends the process where the main thread hangs, in a GPU's collective say.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import os
import secrets
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast, final

from vesalia.runtime.cgroup import memory_kills
from vesalia.runtime.machine import available_memory_bytes, in_words, total_memory_bytes

__all__ = ["Failure", "Lifeline"]

_GRACE_S = 10.0
"""How long the main thread may go on after another rank failed, before the process is ended."""
_LONGEST_HELLO = 4096
"""Bytes of a first line; a longer one is not from another rank."""
_SILENT_S, _ASKED_EVERY_S, _ASKED = 60, 10, 6
"""A machine that is silent for so long is asked for a sign of life, so often, before its connection counts as ended."""
_ANSWER_S = 5.0
"""How long to wait for the first rank to say that it has heard."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a rank ended.

    Attributes:
        rank: Which.
        kind: Name of the exception; empty where it ended without a word.
        message: What it says; of one that ended without a word, what the system says.
        exit_code: What the process ends with.
    """

    rank: int
    kind: str = ""
    message: str = ""
    exit_code: int = 2

    def __str__(self) -> str:
        if self.kind:
            return f"rank {self.rank}: {self.message}"
        why = self.message or "it was killed, or its machine ran out of memory (the system's log tells)"
        return f"rank {self.rank} ended without a word, expected all ranks to go on; {why}; go on with --resume"


def _end_process(failure: Failure, *, speaks: bool) -> None:  # pragma: no cover - ends the process that measures
    if speaks:
        sys.stderr.write(f"vesalia: {failure}\n")
        sys.stderr.flush()
    os._exit(failure.exit_code)


@final
class Lifeline:
    """This process's end of the line.

    Attributes:
        news: The first failure of another rank that was heard of.
    """

    def __init__(
        self, rank: int, world: int, *, grace_s: float = _GRACE_S, end: Callable[..., None] = _end_process
    ) -> None:
        """Open it; :meth:`meet` connects it.

        Args:
            rank: This process.
            world: How many there are.
            grace_s: Seconds between bad news and the end of a process whose main thread does not notice.
            end: Ends the process.
        """
        self.news: Failure | None = None
        self._rank, self._world = rank, world
        self._grace_s, self._end = grace_s, end
        self._heard = threading.Event()
        self._answered = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._lines: dict[int, socket.socket] = {}
        self._server: socket.socket | None = None
        self._token = ""
        self._kills = memory_kills() or 0

    def listen(self) -> tuple[int, str]:
        """On the first rank: the port and the password for the others."""
        self._token = secrets.token_hex(16)
        self._server = socket.create_server(("", 0), backlog=self._world)
        return int(self._server.getsockname()[1]), self._token

    def accept(self, *, timeout_s: float) -> None:
        """On the first rank: wait until all others are there; who says something else, or nothing, is turned away.

        Raises:
            OSError: They are not, in time.
        """
        if self._server is None:
            raise OSError("nobody listens")
        self._server.setblocking(False)
        until = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._server, selectors.EVENT_READ)
            while len(self._lines) < self._world - 1:
                left_s = until - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError(f"{len(self._lines) + 1} of {self._world} ranks are there")
                for key, _ in waiting.select(left_s):
                    self._attend(key, waiting)
            for stranger in [key.fileobj for key in waiting.get_map().values()]:
                stranger.close()  # type: ignore[union-attr]
        self._server = None

    def _attend(self, key: selectors.SelectorKey, waiting: selectors.BaseSelector) -> None:
        """Let somebody in who knocks, or hear who it is: nobody waits for one that is silent."""
        if self._server is not None and key.fileobj is self._server:
            with contextlib.suppress(OSError):  # who knocked is gone again; another one may come
                waiting.register(self._server.accept()[0], selectors.EVENT_READ, bytearray())
            return
        line = cast("socket.socket", key.fileobj)
        said = _first_line(line, key.data)
        if said is not None:
            waiting.unregister(line)
            self._greet(line, _parsed(said))

    def _greet(self, line: socket.socket, hello: dict[str, Any]) -> None:
        """Take in who knows the password, and turn everybody else away."""
        rank = hello.get("rank")
        if hello.get("token") != self._token or not isinstance(rank, int) or rank in self._lines:
            line.close()
            return
        _keep_alive(line)
        self._lines[rank] = line
        self._watch(rank, line.makefile("r", encoding="utf-8"))

    def call(self, host: str, port: int, *, token: str, timeout_s: float) -> None:
        """On another rank: connect to the first one.

        Raises:
            OSError: It cannot be reached.
        """
        line = socket.create_connection((host, port), timeout=timeout_s)
        _keep_alive(line)
        self._lines[0] = line
        self._send(0, {"token": token, "rank": self._rank})
        self._watch(0, line.makefile("r", encoding="utf-8"))

    def tell(self, failure: Failure) -> bool:
        """Tell all other ranks why this one ends; whether the first rank has heard it (and will tell the user)."""
        if self._rank == 0:
            self._broadcast(failure)
            return True
        self._send(0, {"failed": asdict(failure)})
        return self._answered.wait(_ANSWER_S)

    def wait_for_news(self, timeout_s: float) -> Failure | None:
        """What another rank died of, where this one has just noticed that it is gone."""
        self._heard.wait(timeout_s)
        return self.news

    def close(self) -> None:
        """Say goodbye and hang up."""
        self._closed.set()
        for rank, line in list(self._lines.items()):
            self._send(rank, {"bye": True})
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_WR)
        if self._server is not None:
            self._server.close()

    def _watch(self, rank: int, reader: Any) -> None:
        threading.Thread(target=self._read, args=(rank, reader), name=f"lifeline-{rank}", daemon=True).start()

    def _read(self, rank: int, reader: Any) -> None:
        """Listen to one other process until it hangs up."""
        said_goodbye = False
        with contextlib.suppress(OSError, ValueError):
            for text in reader:
                word = _parsed(text)
                said_goodbye = said_goodbye or "bye" in word
                if word:
                    self._answered.set()  # whatever it says, it knows of an end
                if "failed" in word:
                    said_goodbye = True
                    self._learn(Failure(**word["failed"]), sender=rank)
        if not said_goodbye and not self._closed.is_set():
            self._learn(Failure(rank, message=self._why()), sender=rank)
        reader.close()
        self._lines[rank].close()

    def _why(self) -> str:
        """Why a process of this machine has just ended without a word; the system counts those that it kills."""
        if (memory_kills() or 0) <= self._kills:
            return ""
        allowed, left = in_words(total_memory_bytes()), in_words(available_memory_bytes())
        return (
            "the system killed a process for lack of memory: all processes together needed more than they had, "
            f"{allowed}, of which {left} are free now; write a smaller num_cache_objects, cache_budget_gb, num_workers "
            "or output_batch_size"
        )

    def _learn(self, failure: Failure, *, sender: int) -> None:
        with self._lock:
            first = self.news is None
            if first and self._rank == 0:  # before the main thread sees it, and says goodbye to all
                self._broadcast(failure)
            self.news = self.news or failure
        if self._rank == 0 and failure.kind:
            self._send(sender, {"heard": True})
        if not first:
            return
        self._heard.set()
        threading.Thread(target=self._see_to_the_end, name="lifeline-end", daemon=True).start()

    def _see_to_the_end(self) -> None:
        if self.news is not None and not self._closed.wait(self._grace_s):
            self._end(self.news, speaks=self._rank == 0 or (self.news.rank == 0 and self._rank == 1))

    def _broadcast(self, failure: Failure) -> None:
        for rank in list(self._lines):
            if rank != failure.rank:
                self._send(rank, {"failed": asdict(failure)})

    def _send(self, rank: int, word: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # it is gone; the thread that reads from it notices
            self._lines[rank].sendall((json.dumps(word) + "\n").encode())


def _keep_alive(line: socket.socket) -> None:
    """Wait for words without end, but notice when the other machine is gone without a goodbye: power, network."""
    line.settimeout(None)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    wanted = {"TCP_KEEPIDLE": _SILENT_S, "TCP_KEEPINTVL": _ASKED_EVERY_S, "TCP_KEEPCNT": _ASKED}
    for name, value in wanted.items():  # not every system has them
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _first_line(line: socket.socket, heard: bytearray) -> bytes | None:
    """The first line that somebody says, added up in ``heard``; None if it is not over, or empty if there is none.

    What comes behind it is left for whoever reads next.
    """
    try:
        coming = line.recv(_LONGEST_HELLO, socket.MSG_PEEK)
        end = coming.find(b"\n") + 1
        heard += line.recv(end or len(coming))
    except OSError:
        return b""
    if not end and coming and len(heard) < _LONGEST_HELLO:
        return None
    return bytes(heard) if end else b""


def _parsed(text: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
