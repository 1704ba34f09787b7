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

import psutil
import pytest

from vesalia.runtime import machine

GIB = 2**30


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pretended memory cgroup."""
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr(machine, "_CGROUP_USED", tmp_path / "memory.current")
    monkeypatch.setattr(machine, "_CGROUP_PARTS", tmp_path / "memory.stat")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 8 * GIB, "total": 16 * GIB}))
    return tmp_path


class TestAvailableMemory:
    def test_a_tight_container_decides(self, cgroup: Path) -> None:
        (cgroup / "memory.max").write_text(f"{3 * GIB}\n")
        (cgroup / "memory.current").write_text(f"{GIB}\n")
        assert machine.available_memory_bytes() == 2 * GIB

    def test_files_that_a_container_keeps_in_memory_are_given_back(self, cgroup: Path) -> None:
        (cgroup / "memory.max").write_text(f"{4 * GIB}\n")
        (cgroup / "memory.current").write_text(f"{4 * GIB}\n")
        (cgroup / "memory.stat").write_text(f"anon {GIB}\nfile 9\ninactive_file {2 * GIB}\nactive_file {GIB}\n")
        assert machine.available_memory_bytes() == 3 * GIB
        (cgroup / "memory.stat").write_text("inactive_file much\n")
        assert machine.available_memory_bytes() == 0

    def test_a_wide_container_does_not(self, cgroup: Path) -> None:
        (cgroup / "memory.max").write_text(f"{64 * GIB}\n")
        (cgroup / "memory.current").write_text("0\n")
        assert machine.available_memory_bytes() == 8 * GIB

    def test_a_container_without_a_limit(self, cgroup: Path) -> None:
        (cgroup / "memory.max").write_text("max\n")
        (cgroup / "memory.current").write_text("12\n")
        assert machine.available_memory_bytes() == 8 * GIB

    def test_no_container(self, cgroup: Path) -> None:
        assert not list(cgroup.iterdir())
        assert machine.available_memory_bytes() == 8 * GIB

    def test_a_container_over_its_limit_has_nothing_left(self, cgroup: Path) -> None:
        (cgroup / "memory.max").write_text(f"{GIB}\n")
        (cgroup / "memory.current").write_text(f"{GIB + 1}\n")
        assert machine.available_memory_bytes() == 0

    def test_on_this_machine(self) -> None:
        assert 0 < machine.available_memory_bytes() <= psutil.virtual_memory().total


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


def test_a_container_s_share_of_cpu_time_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr(machine, "_CGROUP_CPU", tmp_path / "cpu.max")
    (tmp_path / "cpu.max").write_text("250000 100000\n")
    assert machine.usable_cores() == 3
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert machine.usable_cores() == 64


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
