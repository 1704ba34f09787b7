"""Worker threads that use one torch thread each, so that neither cores nor sums depend on how many there are."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = ["one_torch_thread", "worker_threads"]


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Let the calling thread's torch operations run on one core.

    A sum over many voxels is split among torch's threads, and its last bits depend on how many there are.
    Inside workers and inline alike the pipeline uses one, so both give the same numbers.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def worker_threads(count: int) -> ThreadPoolExecutor:
    """A pool of ``count`` threads, all started, each with one torch thread and the caller's GPU.

    The caller's number of torch threads stays as it is.
    """
    before = torch.get_num_threads()
    started = threading.Barrier(count + 1)
    gpu = torch.cuda.current_device() if torch.cuda.is_initialized() else None
    pool = ThreadPoolExecutor(count, "vesalia-worker", initializer=_set_up, initargs=(gpu,))
    try:
        for _ in range(count):
            pool.submit(started.wait)
        started.wait()
    except BaseException:  # an interrupt here must not leave threads that wait for it
        started.abort()
        pool.shutdown(cancel_futures=True)
        raise
    # The number a thread sets is its own, but also what threads born later begin with: restore that.
    torch.set_num_threads(before)
    return pool


def _set_up(gpu: int | None) -> None:
    if gpu is not None:  # a thread begins with the first one, whichever the process works on
        torch.cuda.set_device(gpu)
    # Asking first makes torch set the thread up; its first operation would do so otherwise, and undo what is set here.
    torch.get_num_threads()
    torch.set_num_threads(1)
