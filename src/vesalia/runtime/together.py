"""Several processes that train one network: what they tell each other, and how they end together.

What is told goes over the CPU (gloo), in float64 and JSON, small and exact; gradients are Fabric's business (gloo, or
NCCL on GPUs). Every rank must make the same calls in the same order.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import NoReturn, TypeVar, final

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from vesalia import errors
from vesalia.errors import Interrupted, ResourceError, ToldElsewhere, UserError, VesaliaError
from vesalia.runtime import machine
from vesalia.runtime.lifeline import Failure, Lifeline
from vesalia.runtime.ranks import Launch, require_meeting_place

__all__ = ["ALONE", "Ranks", "Together", "joined"]

Value = TypeVar("Value")

_MEETING_S = 300.0
"""How long ranks wait for each other at the start: a machine may be slow to import torch."""
_SILENCE = timedelta(minutes=60)
"""How long ranks wait for each other in a run: one may have more to load or to judge. A death is noticed at once."""
_STOPPED = 130
_MEETINGS = itertools.count()
_KEPT: list[object] = []
"""Torch's process groups, held past their end; a process has one per meeting, two or three in all.

Letting go of one waits for its thread, which may wait for the interpreter, to let go of the last message: they would
wait for each other. By the end of the process the thread is at rest; by the next meeting it may not be.
"""
_REST_S, _SHORT_REST_S, _NAP_S = 5.0, 0.3, 0.002
"""How long to wait for torch's threads to let go of the last messages; after an error, whose frames may hold them; and
how long between two looks."""
_NEWS_S = 3.0
"""How long to wait for the reason after the connection to another rank broke."""


class Ranks:
    """The processes that train together. This one is alone: whatever they would tell each other, it knows.

    Attributes:
        rank: This process, counted from 0.
        world: How many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes files and speaks to the user."""
        return self.rank == 0

    def total(self, *values: float) -> list[float]:
        """The sum over all ranks of each value."""
        return list(values)

    def any(self, asked: object) -> bool:
        """Whether ``asked`` is true on any rank."""
        return self.total(float(bool(asked)))[0] > 0

    def gather(self, value: Value) -> list[Value]:
        """Every rank's ``value`` (JSON data), in the ranks' order, on every rank."""
        return [value]

    def share(self, value: Value) -> Value:
        """The first rank's ``value`` (JSON data), on every rank."""
        return value

    def share_bytes(self, content: bytes) -> bytes:
        """The first rank's ``content``, on every rank."""
        return content

    def share_tensors(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give every rank the values of the first one's tensors, in place."""

    def time(self) -> float:
        """The first rank's wall-clock time: one clock for all."""
        return time.time()

    def check(self) -> None:
        """Raise if another rank has failed; between calls that would notice."""


ALONE = Ranks()
"""One process."""


@final
class Together(Ranks):
    """Several processes, connected."""

    def __init__(self, launch: Launch, lifeline: Lifeline) -> None:
        self.launch = launch
        self.rank, self.world = launch.rank, launch.world
        self._lifeline = lifeline
        self._told: list[weakref.ref[torch.Tensor]] = []

    def total(self, *values: float) -> list[float]:
        """The sum over all ranks of each value, in float64."""
        tensor = torch.tensor(values, dtype=torch.float64)
        self._do(dist.all_reduce, tensor)
        return [float(value) for value in tensor]

    def gather(self, value: Value) -> list[Value]:
        """Every rank's ``value`` (JSON data), in the ranks' order, on every rank."""
        own = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
        sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.world)]
        self._do(dist.all_gather, sizes, torch.tensor([len(own)]))
        longest = max(int(size) for size in sizes)
        padded = torch.zeros(longest, dtype=torch.uint8)
        padded[: len(own)] = own
        texts = [torch.zeros(longest, dtype=torch.uint8) for _ in range(self.world)]
        self._do(dist.all_gather, texts, padded)
        return [json.loads(bytes(text[: int(size)].tolist())) for text, size in zip(texts, sizes, strict=True)]

    def share(self, value: Value) -> Value:
        """The first rank's ``value`` (JSON data), on every rank."""
        shared: Value = json.loads(self.share_bytes(json.dumps(value).encode() if self.first else b""))
        return shared

    def share_bytes(self, content: bytes) -> bytes:
        """The first rank's ``content``, on every rank."""
        size = torch.tensor([len(content)])
        self._do(_from_first, size)
        if not int(size):
            return b""
        text = torch.frombuffer(bytearray(content if self.first else bytes(int(size))), dtype=torch.uint8)
        self._do(_from_first, text)
        return text.numpy().tobytes()

    def share_tensors(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give every rank the values of the first one's tensors, in place."""
        for tensor in tensors:
            there = tensor.detach().to("cpu", copy=True).contiguous()
            self._do(_from_first, there)
            tensor.copy_(there)

    def time(self) -> float:
        """The first rank's wall-clock time: one clock for all."""
        return self.total(time.time() if self.first else 0.0)[0]

    def check(self) -> None:
        """Raise if another rank has failed."""
        if self._lifeline.news is not None:
            _raise(self._lifeline.news)

    def rest(self, seconds: float) -> None:
        """Wait until torch's threads have let go of all messages, but not for longer.

        A thread that wants to let go of one needs the interpreter; where that has already ended, the thread aborts the
        process, whatever it had achieved.
        """
        until = time.monotonic() + seconds
        while any(message() is not None for message in self._told) and time.monotonic() < until:
            time.sleep(_NAP_S)
        self._told.clear()

    def _do(self, collective: Callable[..., object], *messages: torch.Tensor | list[torch.Tensor]) -> None:
        """Do it, or say which rank it failed for."""
        tensors = [tensor for given in messages for tensor in (given if isinstance(given, list) else [given])]
        self.check()
        self._told = [message for message in self._told if message() is not None]
        self._told += [weakref.ref(tensor) for tensor in tensors]
        try:
            collective(*messages)
        except RuntimeError as error:
            news = self._lifeline.wait_for_news(_NEWS_S)
            if news is not None:
                _raise(news, cause=error)
            first = str(error).strip().splitlines()[0]
            message = f"rank {self.rank}: found that the connection to the other ranks broke ({first}), expected it to "
            raise ResourceError(message + "hold; look at the network, then go on with --resume") from error


_from_first = functools.partial(dist.broadcast, src=0)


def _raise(failure: Failure, *, cause: BaseException | None = None) -> NoReturn:
    """Another rank's failure, as this one's."""
    if not failure.kind:
        raise ResourceError(f"training: found that {failure}") from cause
    if failure.kind == Interrupted.__name__:
        raise Interrupted(failure.message, signal_number=failure.exit_code - 128) from cause
    kind = getattr(errors, failure.kind, None)
    if isinstance(kind, type) and issubclass(kind, UserError):
        raise kind(str(failure)) from cause
    raise VesaliaError(str(failure)) from cause


@contextlib.contextmanager
def joined(launch: Launch, *, on_gpu: bool = False) -> Iterator[Ranks]:
    """Connect this process with the others of its job; inside, all of them live or all of them end.

    Where one fails, every rank leaves with its exit code. The first rank raises what happened; the others raise
    :class:`ToldElsewhere`, unless the first is no longer there to tell.

    Args:
        launch: What the launcher said.
        on_gpu: Whether gradients are exchanged between GPUs.

    Raises:
        ResourceError: The others cannot be reached, or one of them was killed.
    """
    if launch.world == 1:
        yield ALONE
        return
    lifeline = Lifeline(launch.rank, launch.world)
    ranks = _meet(launch, lifeline, on_gpu=on_gpu)
    rest_s = _SHORT_REST_S
    try:
        yield ranks
        ranks.total(0.0)  # all of them came this far
        rest_s = _REST_S
    except BaseException as error:  # noqa: BLE001 - the edge between processes: whatever it is, the others must end
        _end_together(ranks, lifeline, error)
    finally:
        lifeline.close()
        ranks.rest(rest_s)
        if not on_gpu:  # NCCL may wait for the others; the end of the process ends it
            dist.destroy_process_group()


def _end_together(ranks: Ranks, lifeline: Lifeline, error: BaseException) -> NoReturn:
    """Have all ranks end, and one of them tell why."""
    broken = isinstance(error, RuntimeError) and not isinstance(error, VesaliaError)  # a collective, perhaps
    news = lifeline.wait_for_news(_NEWS_S) if broken else lifeline.news
    if news is None:
        failure = _failure(ranks.rank, error)
        if lifeline.tell(failure) and not ranks.first and isinstance(error, VesaliaError):
            raise ToldElsewhere(exit_code=failure.exit_code) from error
        raise error
    tells = ranks.first or (ranks.rank == 1 and news.rank == 0 and not news.kind)
    if not tells:
        raise ToldElsewhere(exit_code=news.exit_code) from error
    if isinstance(error, VesaliaError):  # the news, or the very same mistake, met by each rank
        raise error
    _raise(news, cause=error)


def _failure(rank: int, error: BaseException) -> Failure:
    kind = type(error).__name__
    if isinstance(error, VesaliaError):
        return Failure(rank, kind, str(error), error.exit_code)
    return Failure(rank, kind, f"{kind}: {error}", _STOPPED if isinstance(error, KeyboardInterrupt) else 1)


def _meet(launch: Launch, lifeline: Lifeline, *, on_gpu: bool) -> Together:
    """Connect the process group, then the lifeline.

    Raises:
        ResourceError: The others cannot be reached.
    """
    require_meeting_place(launch)
    _share_cores(launch)
    where = {"MASTER_ADDR": launch.host, "MASTER_PORT": str(launch.port)}
    where |= {"RANK": str(launch.rank), "WORLD_SIZE": str(launch.world)}
    ranks = Together(launch, lifeline)
    try:
        with _environment(where):
            _connect(launch, "cpu:gloo,cuda:nccl" if on_gpu else "gloo")
        port, token = ranks.share(lifeline.listen() if ranks.first else (0, ""))
        if ranks.first:
            lifeline.accept(timeout_s=_MEETING_S)
        else:
            lifeline.call(launch.host, port, token=token, timeout_s=_MEETING_S)
        ranks.total(0.0)
    except (OSError, RuntimeError, ValueError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        message = (
            f"multi_gpu: found that rank {launch.rank} of {launch.world} ({launch.launcher}) cannot meet the others at "
            f"{launch.host}:{launch.port} ({first}), expected all of them there within {_MEETING_S:.0f} s; look at the "
            "output of the others, or write MASTER_ADDR and MASTER_PORT into the environment of all of them"
        )
        raise ResourceError(message) from error
    return ranks


def _connect(launch: Launch, backend: str) -> None:
    """Make torch's process group, under a name of its own each time."""
    named = PrefixStore(f"vesalia-{next(_MEETINGS)}", _store(launch.rank, launch.world))
    dist.init_process_group(backend, store=named, rank=launch.rank, world_size=launch.world, timeout=_SILENCE)
    _KEPT.append(dist.group.WORLD)


@functools.cache
def _store(rank: int, world: int) -> Store:
    """Where ranks find each other; kept as long as the process lives, so that they can meet again."""
    store, _, _ = next(iter(rendezvous("env://", rank, world, timeout=timedelta(seconds=_MEETING_S))))
    found: Store = store
    return found


def _share_cores(launch: Launch) -> None:
    """Have the processes of a machine share its cores, where nobody else said how."""
    given = os.environ.get("OMP_NUM_THREADS")
    by_torchrun = given == "1" and "TORCHELASTIC_RUN_ID" in os.environ and "MKL_NUM_THREADS" not in os.environ
    if given is not None and not (by_torchrun and launch.local_world > 1):
        return
    most = machine.usable_cores() if by_torchrun else torch.get_num_threads()
    torch.set_num_threads(max(1, min(most, machine.usable_cores() // launch.local_world)))


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Inside, the environment holds ``values``."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
