"""Bounded prefetch by threads: results come in order, whatever the number of workers.

Who touches what: the consumer's thread alone asks for results, submits steps and closes. Workers run jobs; the one
that finishes the last job of a step joins the step's results and sets its ``done`` event. A step is owned by its
workers until ``done`` is set, and by the consumer afterwards. The only lock guards a step's count of open jobs.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from vesalia.errors import ResourceError, UserError, VesaliaError
from vesalia.pipelines.workers import one_torch_thread, worker_threads
from vesalia.runtime.machine import shortage_in_words
from vesalia.runtime.memory import is_out_of_memory

__all__ = ["Job", "Results", "Step", "prefetch"]

Part = TypeVar("Part")
Whole = TypeVar("Whole")


@dataclass(frozen=True, slots=True)
class Job(Generic[Part]):
    """Work on one item.

    Attributes:
        name: The item, for the message if the work fails.
        work: Does it.
    """

    name: str
    work: Callable[[], Part]

    def run(self) -> Part:
        """Do the work; whatever goes wrong names the item."""
        try:
            return self.work()
        except UserError as error:
            if self.name in str(error):
                raise
            raise type(error)(f"{self.name}: {error.message}".rstrip(": "), faults=error.faults) from error
        except VesaliaError:
            raise
        except Exception as error:  # the edge of a thread: the cause is kept, the item is told
            if not is_out_of_memory(error):
                raise VesaliaError(f"{self.name}: {type(error).__name__}: {error}") from error
            found = f"{self.name}: found too little memory to prepare it ({shortage_in_words(error)})"
            write = "a smaller num_cache_objects, num_workers or prefetch_size"
            raise ResourceError(f"{found}, expected room; write {write}") from error


@dataclass(frozen=True, slots=True)
class Step(Generic[Part, Whole]):
    """The jobs of one result, and what makes one of their results.

    Attributes:
        jobs: One per item; they may run at the same time.
        join: Makes the result of the jobs' results, which come in the jobs' order.
    """

    jobs: Sequence[Job[Part]]
    join: Callable[[list[Part]], Whole]


class Results(ABC, Iterator[Whole]):
    """The steps' results, in the steps' order.

    Attributes:
        waited_s: Seconds the consumer has waited for results so far.
        closed: Whether it is over: at the end of the steps, after an error, or because somebody closed it.
    """

    def __init__(self) -> None:
        self.waited_s = 0.0
        self.closed = False

    def __enter__(self) -> Results[Whole]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __next__(self) -> Whole:
        began = time.perf_counter()
        try:
            return self._next()
        except BaseException:  # the end, an error or an interrupt: in every case no thread stays behind
            self.close()
            raise
        finally:
            self.waited_s += time.perf_counter() - began

    @abstractmethod
    def _next(self) -> Whole:
        """The next result; StopIteration at the end."""

    @abstractmethod
    def submit(self) -> None:
        """Begin what may be begun: called for everyone, but where steps that ended go on, by whoever knows of it."""

    @abstractmethod
    def close(self) -> None:
        """Drop what is not yet begun, wait for what is, end all threads; may be called at any time, and again."""


def prefetch(steps: Iterable[Step[Part, Whole]], *, workers: int, ahead: int) -> Results[Whole]:
    """Work through ``steps`` with ``workers`` threads, at most ``ahead`` of them begun and not yet taken.

    With 0 workers each step is worked on when it is asked for, in the caller's thread. Steps may end and go on later,
    as those of a :class:`~vesalia.pipelines.course.Course` do, while not all that were begun are taken.
    """
    if workers == 0:
        return _Inline(iter(steps))
    return _Threaded(iter(steps), workers=workers, ahead=max(1, ahead))


class _Inline(Results[Whole], Generic[Part, Whole]):
    """No threads: the consumer waits for everything."""

    def __init__(self, steps: Iterator[Step[Part, Whole]]) -> None:
        super().__init__()
        self._steps = steps

    def _next(self) -> Whole:
        step = next(self._steps)
        with one_torch_thread():
            return step.join([job.run() for job in step.jobs])

    def submit(self) -> None:
        """Nothing: a step is begun when it is asked for."""

    def close(self) -> None:
        self.closed = True
        self._steps = iter(())


class _Threaded(Results[Whole], Generic[Part, Whole]):
    """A pool that is kept busy up to a bound."""

    def __init__(self, steps: Iterator[Step[Part, Whole]], *, workers: int, ahead: int) -> None:
        super().__init__()
        self._steps = steps
        self._ahead = ahead
        self._pending: deque[_Running[Part, Whole]] = deque()
        self._pool: ThreadPoolExecutor | None = worker_threads(workers)
        self.submit()

    def submit(self) -> None:
        while self._pool is not None and len(self._pending) < self._ahead:
            step = next(self._steps, None)
            if step is None:
                return
            running = _Running(step)
            self._pending.append(running)
            for place in range(len(step.jobs)):
                self._pool.submit(running.run, place)

    def _next(self) -> Whole:
        if not self._pending:
            raise StopIteration
        result = self._pending.popleft().wait()
        self.submit()
        return result

    def close(self) -> None:
        self.closed = True
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)
        self._pending.clear()


class _Running(Generic[Part, Whole]):
    """A step in the workers' hands."""

    def __init__(self, step: Step[Part, Whole]) -> None:
        self._step = step
        self._parts: dict[int, Part] = {}
        self._errors: dict[int, BaseException] = {}
        self._whole: list[Whole] = []
        self._open = len(step.jobs)
        self._lock = threading.Lock()
        self._done = threading.Event()

    def run(self, place: int) -> None:
        """Do one job; after the last one, join."""
        try:
            self._parts[place] = self._step.jobs[place].run()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._errors[place] = error
        with self._lock:
            self._open -= 1
            last = self._open == 0
        if last:
            self._join()

    def _join(self) -> None:
        try:
            if not self._errors:
                self._whole.append(self._step.join([self._parts[place] for place in range(len(self._parts))]))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._errors[0] = error
        finally:
            self._parts.clear()
            self._done.set()

    def wait(self) -> Whole:
        """The result, or the error of the first item that failed."""
        self._done.wait()
        if self._errors:
            raise self._errors[min(self._errors)]
        return self._whole[0]
