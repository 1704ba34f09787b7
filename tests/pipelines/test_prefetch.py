"""Prefetch: ordered, bounded, honest about waiting, and gone when it is closed, whatever happens."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.pipelines.fakes import WAIT_S, Clock
from tests.threads import alive
from vesalia.errors import DataError, Fault, Interrupted, ResourceError, VesaliaError
from vesalia.pipelines.prefetch import Job, Step, prefetch

WORKERS = pytest.mark.parametrize("workers", [0, 1, 3])


def total(parts: list[int]) -> int:
    return sum(parts)


def step(*values: int) -> Step[int, int]:
    return Step([Job(f"item {value}", lambda value=value: value) for value in values], total)  # type: ignore[misc]


def failing(name: str, error: BaseException) -> Job[int]:
    def work() -> int:
        raise error

    return Job(name, work)


@WORKERS
def test_results_come_in_order_whatever_is_ready_first(workers: int) -> None:
    ready = [threading.Event() for _ in range(20)]

    def work(n: int) -> int:
        if workers > 1 and n % 2 == 0:
            assert ready[n + 1].wait(WAIT_S)
        ready[n].set()
        return n

    steps = (Step([*step(10 * n).jobs, Job(str(n), lambda n=n: work(n))], total) for n in range(20))  # type: ignore[misc]
    with prefetch(steps, workers=workers, ahead=5) as results:
        assert list(results) == [11 * n for n in range(20)]


@WORKERS
def test_no_steps_and_asking_on_after_the_end(workers: int) -> None:
    with prefetch(iter([step(1)]), workers=workers, ahead=2) as results:
        assert list(results) == [1]
        assert next(results, None) is None
    none: list[Step[int, int]] = []
    with prefetch(none, workers=workers, ahead=2) as nothing:
        assert list(nothing) == []


@pytest.mark.parametrize(("ahead", "begun"), [(0, 1), (1, 1), (4, 4)])
def test_no_more_is_begun_than_allowed(ahead: int, begun: int) -> None:
    taken: list[int] = []

    def steps() -> Iterator[Step[int, int]]:
        for n in range(50):
            taken.append(n)
            yield step(n)

    with prefetch(steps(), workers=3, ahead=ahead) as results:
        assert len(taken) == begun
        next(results)
        assert len(taken) == begun + 1


@WORKERS
def test_an_error_comes_in_its_turn_and_names_the_item(workers: int) -> None:
    steps = [step(1), Step([step(2).jobs[0], failing("case_7", KeyError("x"))], total), step(3)]
    with prefetch(steps, workers=workers, ahead=3) as results:
        assert next(results) == 1
        with pytest.raises(VesaliaError, match=r"case_7: KeyError: 'x'") as caught:
            next(results)
        assert isinstance(caught.value.__cause__, KeyError)
        assert next(results, None) is None


@WORKERS
def test_too_little_memory_is_told_with_what_to_write(workers: int) -> None:
    said = (
        "[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory: you tried to allocate 2000 bytes"
    )
    lacking = RuntimeError(said)
    words = r"case_7: found too little memory .*\(needed 2 kB, had \d.* [MG]B\).*; write a smaller num_cache_objects"
    told = pytest.raises(ResourceError, match=words)
    with prefetch([Step([failing("case_7", lacking)], total)], workers=workers, ahead=1) as results, told:
        next(results)


@WORKERS
def test_of_several_errors_the_first_item_s_is_told(workers: int) -> None:
    jobs = [failing("case_1", DataError("late")), failing("case_0", DataError("soon"))]
    with (
        prefetch([Step(jobs, total)], workers=workers, ahead=1) as results,
        pytest.raises(DataError, match="case_1: late"),
    ):
        next(results)


@WORKERS
def test_an_error_of_the_join_is_told(workers: int) -> None:
    def refuse(parts: list[int]) -> int:
        raise DataError(f"cannot join {parts}")

    with (
        prefetch([Step(step(1, 2).jobs, refuse)], workers=workers, ahead=1) as results,
        pytest.raises(DataError, match=r"cannot join \[1, 2\]"),
    ):
        next(results)


def test_a_user_s_error_keeps_its_kind_and_faults_and_gets_the_name_once() -> None:
    fault = Fault("f.nii", found="x")
    with pytest.raises(DataError, match=r"^case_1\nf.nii: found x$") as caught:
        failing("case_1", DataError(faults=[fault])).run()
    assert caught.value.faults == (fault,)
    with pytest.raises(DataError, match=r"^case_1 is bad$"):
        failing("case_1", DataError("case_1 is bad")).run()
    with pytest.raises(Interrupted, match=r"^stopped$"):
        failing("case_1", Interrupted("stopped")).run()


@pytest.mark.parametrize("workers", [1, 3])
def test_close_drops_what_is_not_begun_and_joins_what_is(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, closing, done = threading.Semaphore(0), threading.Event(), list[int]()
    plain_join = threading.Thread.join

    def work(n: int) -> int:
        if n > 0:
            begun.release()
            assert closing.wait(WAIT_S)
        done.append(n)
        return n

    def join(thread: threading.Thread, timeout: float | None = None) -> None:
        closing.set()
        plain_join(thread, timeout)

    steps = [Step([Job(str(n), lambda n=n: work(n))], total) for n in range(100)]  # type: ignore[misc]
    results = prefetch(steps, workers=workers, ahead=100)
    assert next(results) == 0
    assert all(begun.acquire(timeout=WAIT_S) for _ in range(workers))
    monkeypatch.setattr(threading.Thread, "join", join)
    results.close()
    assert not alive()
    assert sorted(done) == list(range(workers + 1))
    results.close()
    assert next(results, None) is None


@WORKERS
@pytest.mark.parametrize("stop", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_whatever_stops_the_consumer_no_thread_stays(workers: int, stop: type[BaseException]) -> None:
    def consume() -> None:
        with prefetch((step(n) for n in range(50)), workers=workers, ahead=9) as results:
            next(results)
            raise stop

    with pytest.raises(stop):
        consume()
    assert not alive()


def test_an_interrupt_while_waiting_ends_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    results = prefetch([step(1), step(2)], workers=2, ahead=2)

    def interrupted(event: threading.Event, timeout: float | None = None) -> bool:
        raise KeyboardInterrupt(event, timeout)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Event, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(results)
    assert not alive()


@WORKERS
def test_an_interrupt_raised_in_work_reaches_the_consumer(workers: int) -> None:
    with (
        prefetch([Step([failing("case", KeyboardInterrupt())], total)], workers=workers, ahead=1) as results,
        pytest.raises(KeyboardInterrupt),
    ):
        next(results)


@pytest.mark.parametrize("workers", [0, 1])
def test_waiting_is_the_consumer_s_and_no_other_time(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()

    def work() -> int:
        assert clock.asked.wait(WAIT_S)
        clock.now += 3.0
        return 1

    with monkeypatch.context() as patched:
        patched.setattr(time, "perf_counter", clock)
        with prefetch([Step([Job("case", work)], total)], workers=workers, ahead=1) as results:
            clock.now += 5.0
            next(results)
    assert results.waited_s == 3.0


def test_what_is_ready_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ready = Clock(), threading.Event()

    def join(parts: list[int]) -> int:
        clock.now += 3.0
        ready.set()
        return total(parts)

    with monkeypatch.context() as patched:
        patched.setattr(time, "perf_counter", clock)
        with prefetch([Step(step(1).jobs, join)], workers=1, ahead=1) as results:
            assert ready.wait(WAIT_S)
            next(results)
    assert results.waited_s == 0.0
