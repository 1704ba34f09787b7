"""A disk that is full or read-only: said in words, finished files are whole, the work goes on once there is room."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.workbench import Answer, Bench, in_process
from vesalia.datatools import estimate
from vesalia.inference.weights import load_weights

_PAGE = 4096
_PLENTY = 10**12


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of its own, mounted as the test's parameter says."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here: this needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def require_refused(answer: Answer, *says: str) -> None:
    assert answer.code == 2
    assert "Traceback" not in answer.out + answer.err
    assert answer.data["ok"] is False
    assert [part for part in says if part not in answer.told] == [], answer.told


def half_written(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.name.startswith(".writing-")]


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Leave so many pages, and not a byte more."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(b"\0" * _PAGE)
    assert shutil.disk_usage(disk).free == 0
    os.truncate(filler, filler.stat().st_size - leave * _PAGE)
    return filler


@pytest.mark.parametrize("small_disk", ["size=64k"], indirect=True)
def test_too_little_room_is_told_before_training(untrained: Bench, small_disk: Path) -> None:
    answer = in_process("train", untrained.archive, "--set", f"MMAR_CKPT_DIR={small_disk}", "--json")
    require_refused(answer, str(small_disk), "free", "needed", "room on the disk", "MMAR_CKPT_DIR")
    assert list(small_disk.iterdir()) == []


@pytest.mark.parametrize("small_disk", ["size=96k"], indirect=True)
def test_a_disk_that_fills_up_during_training(
    untrained: Bench, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "free_disk_bytes", lambda _: _PLENTY)  # others use it up later
    answer = in_process("train", untrained.archive, "--set", f"MMAR_CKPT_DIR={small_disk}", "--json")
    require_refused(answer, str(small_disk), "no space left", "free some and go on")
    assert half_written(small_disk) == []
    assert load_weights(small_disk / "model").class_names[0] == "background"
    assert not (small_disk / "resume.safetensors").exists()


@pytest.mark.parametrize("small_disk", ["size=1024k"], indirect=True)
def test_the_earlier_run_stays_and_goes_on_when_there_is_room(
    bench: Bench, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "free_disk_bytes", lambda _: _PLENTY)
    shutil.copytree(bench.models, small_disk, dirs_exist_ok=True)
    kept = {path: path.read_bytes() for path in small_disk.glob("*.safetensors")}
    filler = fill(small_disk)
    onwards = ["train", bench.archive, "--resume", "--set", f"MMAR_CKPT_DIR={small_disk}", "epochs=4", "--json"]
    require_refused(in_process(*onwards), str(small_disk), "no space left")
    assert {path: path.read_bytes() for path in kept} == kept
    assert half_written(small_disk) == []
    filler.unlink()
    answer = in_process(*onwards)
    assert answer.code == 0
    assert (answer.data["epochs"], answer.data["resumed"]) == (4, True)


@pytest.mark.parametrize("small_disk", ["size=1024k"], indirect=True)
def test_a_disk_that_fills_up_during_inference(bench: Bench, small_disk: Path) -> None:
    sized = in_process("infer", bench.archive, "-o", bench.root / "sized", "--json")
    first, second = (Path(case["files"][0]) for case in sized.data["cases"])
    wanted = [path for path in (bench.root / "sized").rglob("*") if path.is_file() and path.parent != second.parent]
    fill(small_disk, leave=sum(-(-path.stat().st_size // _PAGE) for path in wanted))
    answer = in_process("infer", bench.archive, "-o", small_disk, "--json")
    require_refused(answer, str(small_disk / second.parent.name), "no space left")
    assert half_written(small_disk) == []
    (written,) = small_disk.rglob("*.nii.gz")
    assert written.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("small_disk", ["ro"], indirect=True)
def test_a_disk_that_is_read_only(bench: Bench, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "free_disk_bytes", lambda _: _PLENTY)
    for command, name in (
        ("train", "MMAR_CKPT_DIR"),
        ("evaluate", "MMAR_EVAL_OUTPUT_PATH"),
        ("infer", "MMAR_EVAL_OUTPUT_PATH"),
    ):
        before = bench.tree()
        answer = in_process(command, bench.archive, "--set", f"{name}={small_disk}", "--json")
        require_refused(answer, str(small_disk), "cannot be written", "Read-only")
        assert bench.tree() == before
    require_refused(
        in_process("new", small_disk / "mine", "--data", bench.data, "--json"), str(small_disk), "Read-only"
    )


@pytest.mark.parametrize("write", range(7))
def test_whichever_write_fails_resuming_goes_on(untrained: Bench, monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    with monkeypatch.context() as patch:
        fail_at(write, patch)
        require_refused(in_process("train", untrained.archive, "--seed", 1, "--json"), "no space left")
    assert half_written(untrained.root) == []
    answer = in_process("train", untrained.archive, "--seed", 1, "--resume", "--json")
    assert answer.code == 0, answer.told
    assert load_weights(untrained.models / "model_final").card["epoch"] == 2


@pytest.mark.parametrize("command", ["evaluate", "infer"])
@pytest.mark.parametrize("write", [0, 1, 2])
def test_whichever_result_cannot_be_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, command: str, write: int
) -> None:
    with monkeypatch.context() as patch:
        fail_at(write, patch)
        require_refused(in_process(command, bench.archive, "--json"), "no space left")
    assert half_written(bench.root) == []
    assert in_process(command, bench.archive, "--json").code == 0


def fail_at(write: int, patch: pytest.MonkeyPatch) -> None:
    """Have the disk be full when file number ``write`` is flushed to it."""
    flush, count = os.fsync, iter(range(1000))

    def fail(number: int) -> None:
        if next(count) == write:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(number)

    patch.setattr(os, "fsync", fail)
