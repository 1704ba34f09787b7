"""Trainings in processes of their own that tell where they are, so that they can be killed there.

They are forked from a server that has imported everything: a process takes a tenth of a second, not several.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

__all__ = ["PATIENCE_S", "Moment", "ended", "killed_at", "running", "words_of"]

PATIENCE_S = 120.0
_PAUSE_S = 0.004
"""What the file system of these trainings takes longer, so that a kill can hit it at work."""

Moment = tuple[str, int]
"""A word, and which of its occurrences counted from 1."""


def _train(archive: Path, resume: bool, told: Connection, settings: tuple[str, ...]) -> None:
    """The training; runs in the forked process."""
    import torch

    from vesalia.api import Archive
    from vesalia.pipelines.smart_cache import SmartCache
    from vesalia.training.listener import Listener, StepReport

    torch.set_num_threads(1)

    class Teller(Listener):
        def stepped(self, report: StepReport) -> None:
            told.send("stepped")

        def validating(self, done: int, total: int) -> None:
            told.send("validating")

    def slow(owner: Any, name: str, word: str) -> None:
        quick: Callable[..., Any] = getattr(owner, name)

        def slowly(*args: Any, **more: Any) -> Any:
            told.send(word)
            time.sleep(_PAUSE_S)
            return quick(*args, **more)

        setattr(owner, name, slowly)

    slow(os, "fsync", "saving")
    slow(Path, "replace", "moving")
    slow(SmartCache, "move_to", "swapping")
    Archive(archive).train(seed=5, device="cpu", resume=resume, listener=Teller(), overrides=settings)


def _server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vesalia.training.fit", "vesalia.datatools.preflight", "monai.networks.nets"])
    return context


@contextmanager
def running(archive: Path, *settings: str, resume: bool = False) -> Iterator[tuple[ForkServerProcess, Connection]]:
    """A training, and where it tells what it is doing."""
    context = _server()
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=_train, args=(archive, resume, tells, settings), daemon=True)
    process.start()
    tells.close()
    try:
        yield process, hears
    finally:
        process.kill()
        process.join(PATIENCE_S)
        hears.close()


def killed_at(archive: Path, moment: Moment, *settings: str, resume: bool = False, delay_s: float = 0.0) -> bool:
    """Train, and kill the process at that moment; whether it came there."""
    word, occurrence = moment
    with running(archive, *settings, resume=resume) as (process, hears):
        try:
            while occurrence:
                if not hears.poll(PATIENCE_S):
                    raise AssertionError(f"the training stands still before {moment}")
                occurrence -= hears.recv() == word
        except EOFError:
            return False
        time.sleep(delay_s)
        process.kill()
        process.join(PATIENCE_S)
        return True


def words_of(archive: Path, *settings: str, resume: bool = False) -> list[str]:
    """Train to the end; what it told on the way."""
    words: list[str] = []
    with running(archive, *settings, resume=resume) as (process, hears):
        try:
            while hears.poll(PATIENCE_S):
                words.append(hears.recv())
        except EOFError:
            process.join(PATIENCE_S)
        assert process.exitcode == 0
    return words


def ended(archive: Path, *settings: str) -> None:
    """Resume, and train to the end."""
    words_of(archive, *settings, resume=True)
