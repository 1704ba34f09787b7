"""Worker threads: one torch thread each, and the caller's number untouched."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

from vesalia.pipelines.workers import one_torch_thread, worker_threads


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_workers_have_one_torch_thread_and_nobody_else() -> None:
    with worker_threads(2) as pool:
        assert [pool.submit(torch.get_num_threads).result() for _ in range(4)] == [1] * 4
        assert torch.get_num_threads() == 2
    others: list[int] = []
    thread = threading.Thread(target=lambda: others.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert others == [2]


@pytest.mark.parametrize(("in_use", "chosen"), [(True, [3, 3]), (False, [])])
def test_workers_work_on_the_gpu_of_the_caller(
    monkeypatch: pytest.MonkeyPatch, *, in_use: bool, chosen: list[int]
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: in_use)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 3)
    monkeypatch.setattr(torch.cuda, "set_device", asked.append)
    worker_threads(2).shutdown()
    assert asked == chosen


@pytest.mark.usefixtures("two_threads")
def test_inline_work_has_one_torch_thread_too() -> None:
    def fail() -> None:
        with one_torch_thread():
            assert torch.get_num_threads() == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert torch.get_num_threads() == 2


def test_an_interrupt_while_threads_start_leaves_none_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(threading.Barrier):
        def wait(self, timeout: float | None = None) -> int:
            if threading.current_thread() is threading.main_thread():
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(threading, "Barrier", Interrupted)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        worker_threads(2)
    assert set(threading.enumerate()) <= before
