"""What the machine has: a container's limits count, and nothing needs torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from vesalia.runtime import cgroup, machine

GIB = 2**30


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pretended control group on a machine of 16 GiB, half of them free."""
    monkeypatch.setattr(cgroup, "_PROCESS", tmp_path / "none")
    monkeypatch.setattr(cgroup, "_GROUPS", tmp_path)
    memory = SimpleNamespace(available=8 * GIB, total=16 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "used", "total", "available"),
    [(3 * GIB, GIB, 3, 2), (64 * GIB, 0, 16, 8), (12 * GIB, GIB, 12, 8), (GIB, GIB + 1, 1, 0)],
)
def test_the_smaller_of_machine_and_container_counts(
    group: Path, limit: int, used: int, total: int, available: int
) -> None:
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    assert machine.total_memory_bytes() == total * GIB
    assert machine.available_memory_bytes() == available * GIB


@pytest.mark.usefixtures("group")
def test_without_a_container_the_machine_counts() -> None:
    assert (machine.total_memory_bytes(), machine.available_memory_bytes()) == (16 * GIB, 8 * GIB)


def test_memory_of_this_machine() -> None:
    assert 0 < machine.available_memory_bytes() <= machine.total_memory_bytes() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("count", "text"),
    [
        *[(12, "12 bytes"), (1500, "1.5 kB"), (47_200_000, "47.2 MB"), (3.2e9, "3.2 GB")],
        *[(0, "0 bytes"), (999, "999 bytes"), (1234, "1.23 kB"), (5.6e6, "5.6 MB"), (78e9, "78.0 GB")],
        (9e12, "9000.0 GB"),
    ],
)
def test_bytes_in_words(count: float, text: str) -> None:
    assert machine.in_words(count) == text


@pytest.mark.usefixtures("group")
class TestShortage:
    @pytest.mark.parametrize(
        ("said", "words"),
        [
            (
                "DefaultCPUAllocator: can't allocate memory: you tried to allocate 3000000000 bytes. Error code 12",
                "3.0 GB",
            ),
            ("Unable to allocate 1.50 MiB for an array with shape (3, 2**17)", "1.57 MB"),
        ],
    )
    def test_what_the_error_says_goes_first(self, said: str, words: str) -> None:
        assert machine.shortage_in_words(RuntimeError(said), needed=7) == f"needed {words}, had 8.6 GB"

    def test_a_gpu_says_both(self) -> None:
        said = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which "
        said += "512.00 MiB is free. Including"
        assert machine.shortage_in_words(RuntimeError(said)) == "needed 21.5 GB, had 537 MB"

    def test_an_error_without_figures(self) -> None:
        assert machine.shortage_in_words(MemoryError(), needed=5000) == "needed 5 kB, had 8.6 GB"
        assert machine.shortage_in_words(MemoryError()) == "had 8.6 GB"

    def test_what_torch_and_numpy_say_now(self) -> None:
        for allocate in (lambda: torch.empty(1 << 50, dtype=torch.uint8), lambda: np.empty(1 << 50, dtype=np.uint8)):
            with pytest.raises((RuntimeError, MemoryError)) as caught:
                allocate()
            assert machine.shortage_in_words(caught.value) == "needed 1125899.9 GB, had 8.6 GB"


class TestFreeDisk:
    def test_a_folder(self, tmp_path: Path) -> None:
        assert machine.free_disk_bytes(tmp_path) > 0

    def test_a_folder_that_is_not_there_yet(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[Path] = []

        def usage(path: Path) -> SimpleNamespace:
            asked.append(path)
            return SimpleNamespace(free=5)

        monkeypatch.setattr("shutil.disk_usage", usage)
        assert machine.free_disk_bytes(tmp_path / "a" / "b") == 5
        assert asked == [tmp_path]

    def test_a_relative_folder_that_is_not_there_yet(self) -> None:
        assert machine.free_disk_bytes(Path("no-such-folder") / "inside") > 0


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert machine.usable_cores() == 3


def test_cores_where_there_is_no_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.usable_cores() == 1


def test_a_container_s_share_of_cpu_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    for share, cores in ((2.5, 3), (0.1, 1), (100.0, 64), (None, 64)):
        monkeypatch.setattr(cgroup, "cpu_limit", lambda share=share: share)
        assert machine.usable_cores() == cores


def test_versions_name_python_and_what_decides_a_result() -> None:
    found = machine.versions()
    assert found["python"] == platform.python_version()
    assert {"torch", "numpy", "nibabel", "monai"} <= found.keys()


def test_a_package_that_is_not_there_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_PACKAGES", ("numpy", "no-such-package"))
    assert machine.versions().keys() == {"python", "numpy"}


def test_the_description_is_plain_data() -> None:
    found = machine.describe()
    assert json.loads(json.dumps(found)) == found
    assert found["cores"] == machine.usable_cores()
    assert found["memory_gb"] > 0


def test_a_system_without_proc_asks_python(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(platform, "processor", lambda: "a processor")
    assert machine._processor() == "a processor"


def test_nothing_here_needs_torch() -> None:
    code = "import sys, vesalia.runtime.machine as m; m.describe(); m.versions(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
