"""Ctrl-C, and worse, while a shared cache is filled or used: no process, no thread, no file in shared memory stays."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.workbench import process_environment
from tests.pipelines.volumes import write_volumes
from vesalia.runtime import shared_folders

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90
PROGRAM = """
import signal, sys, time, threading
from pathlib import Path
from tests.pipelines.volumes import bound
from vesalia.runtime import shared_folders
from vesalia.pipelines.cached import RunSettings

signal.signal(signal.SIGINT, signal.default_int_handler)  # a process that is begun in the background ignores it
shared_folders._SHARED_MEMORY = Path(sys.argv[1])
moment = sys.argv[3]

def tell(word):
    print(word, flush=True)
    time.sleep(60)

try:
    with bound(Path(sys.argv[2]), num_workers=2, run=RunSettings(session="s")) as pipeline:
        pipeline.fill(lambda done, total: tell("now") if moment == "filling" and done == 2 else None)
        for number, batch in enumerate(pipeline.epoch(0)):
            if moment == "epoch" and number == 1:
                tell("now")
finally:
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    print("threads", [name for name in left if name.startswith("vesalia")], flush=True)
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def shm(tmp_path: Path) -> Path:
    """Stands in for /dev/shm."""
    folder = tmp_path / "shm"
    folder.mkdir()
    return folder


@contextmanager
def at_work(shm: Path, data: Path, moment: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has come to a moment."""
    command = [sys.executable, "-c", PROGRAM, str(shm), str(data), moment]
    environment = process_environment(PYTHONPATH=str(ROOT))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "now\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("moment", ["filling", "epoch"])
def test_nothing_stays_after_ctrl_c(tmp_path: Path, shm: Path, moment: str) -> None:
    data = write_volumes(tmp_path, 6)
    with at_work(shm, data, moment) as process:
        assert len(list(shm.glob("*/*.safetensors"))) >= 2
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=PATIENCE_S)
    assert "KeyboardInterrupt" in error
    assert "threads []" in out
    assert list(shm.iterdir()) == []


@pytest.mark.parametrize("moment", ["filling", "epoch"])
def test_what_a_killed_process_leaves_goes_with_the_next_start(
    tmp_path: Path, shm: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_volumes(tmp_path, 6)
    with at_work(shm, data, moment) as process:
        process.kill()
        process.wait(PATIENCE_S)
    assert len(list(shm.iterdir())) == 1
    monkeypatch.setattr(shared_folders, "_SHARED_MEMORY", shm)
    shared_folders.remove_leftovers()
    assert list(shm.iterdir()) == []
