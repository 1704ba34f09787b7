"""Control groups: nested ones, both kinds, and what containers hide; the smallest limit counts."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.runtime import cgroup

GIB = 2**30
NO_LIMIT = 9223372036854771712


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for /sys/fs/cgroup."""
    monkeypatch.setattr(cgroup, "_PROCESS", tmp_path / "self")
    monkeypatch.setattr(cgroup, "_GROUPS", tmp_path / "fs")
    monkeypatch.setattr(cgroup, "_MACHINE", tmp_path / "vmstat")
    (tmp_path / "fs").mkdir()
    return tmp_path / "fs"


def belongs(groups: Path, *lines: str) -> None:
    """What /proc/self/cgroup says."""
    (groups.parent / "self").write_text("".join(f"{line}\n" for line in lines))


def write(folder: Path, **said: object) -> Path:
    """Files of a group: ``memory_max`` is ``memory.max``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in said.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{content}\n")
    return folder


class TestSecondKind:
    def test_a_container_that_is_its_own_root(self, groups: Path) -> None:
        belongs(groups, "0::/")
        write(groups, memory_max=3 * GIB, memory_current=GIB)
        assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes()) == (3 * GIB, 2 * GIB)

    @pytest.mark.parametrize("tight", ["system.slice", "system.slice/job", "system.slice/job/step"])
    def test_the_smallest_limit_of_nested_groups(self, groups: Path, tight: str) -> None:
        belongs(groups, "0::/system.slice/job/step")
        write(groups / "system.slice", memory_max=64 * GIB, memory_current=20 * GIB)
        write(groups / "system.slice/job", memory_max="max", memory_current=9 * GIB)
        write(groups / "system.slice/job/step", memory_max=48 * GIB, memory_current=8 * GIB)
        write(groups / tight, memory_max=10 * GIB, memory_current=4 * GIB)
        assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes()) == (10 * GIB, 6 * GIB)

    def test_the_group_with_the_least_left_need_not_have_the_smallest_limit(self, groups: Path) -> None:
        belongs(groups, "0::/job/step")
        write(groups / "job", memory_max=64 * GIB, memory_current=63 * GIB)
        write(groups / "job/step", memory_max=8 * GIB, memory_current=2 * GIB)
        assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes()) == (8 * GIB, GIB)

    def test_files_in_memory_are_given_back(self, groups: Path) -> None:
        belongs(groups, "0::/")
        stat = f"anon {GIB}\nfile 9\ninactive_file {2 * GIB}\nactive_file {GIB}"
        write(groups, memory_max=4 * GIB, memory_current=4 * GIB, memory_stat=stat)
        assert cgroup.memory_left_bytes() == 3 * GIB
        write(groups, memory_stat="inactive_file much")
        assert cgroup.memory_left_bytes() == 0

    def test_over_the_limit_nothing_is_left(self, groups: Path) -> None:
        belongs(groups, "0::/")
        write(groups, memory_max=GIB, memory_current=GIB + 1)
        assert cgroup.memory_left_bytes() == 0

    def test_a_path_of_the_machine_that_the_container_does_not_show(self, groups: Path) -> None:
        belongs(groups, "0::/../../kubepods/pod7")
        write(groups, memory_max=5 * GIB, memory_current=GIB)
        assert cgroup.memory_left_bytes() == 4 * GIB

    def test_a_limit_whose_use_is_not_told(self, groups: Path) -> None:
        belongs(groups, "0::/")
        write(groups, memory_max=GIB)
        assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes()) == (GIB, None)


class TestFirstKind:
    def test_beside_the_second(self, groups: Path) -> None:
        belongs(groups, "4:cpu,memory:/slurm/job_1/step_0", "1:name=systemd:/", "0::/")
        write(groups / "memory", memory_limit_in_bytes=NO_LIMIT, memory_usage_in_bytes=40 * GIB)
        job = write(groups / "memory/slurm/job_1", memory_limit_in_bytes=16 * GIB, memory_usage_in_bytes=8 * GIB)
        write(job, memory_stat=f"inactive_file 1\ntotal_inactive_file {GIB}\ntotal_active_file {GIB}")
        assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes()) == (16 * GIB, 10 * GIB)

    def test_no_limit_is_a_huge_number(self, groups: Path) -> None:
        belongs(groups, "4:memory:/docker/a")
        write(groups / "memory", memory_limit_in_bytes=NO_LIMIT, memory_usage_in_bytes=GIB)
        assert cgroup.memory_limit_bytes() is None

    def test_another_controller_is_not_memory(self, groups: Path) -> None:
        belongs(groups, "4:cpuset:/a")
        write(groups / "memory/a", memory_limit_in_bytes=GIB, memory_usage_in_bytes=0)
        assert cgroup.memory_limit_bytes() is None


def test_without_limits(groups: Path) -> None:
    belongs(groups, "0::/a")
    write(groups / "a", memory_max="max", memory_current=GIB)
    assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes()) == (None, None)


class TestProcessors:
    def test_the_smallest_share_of_nested_groups(self, groups: Path) -> None:
        belongs(groups, "0::/job/step")
        write(groups / "job", cpu_max="250000 100000")
        write(groups / "job/step", cpu_max="max 100000")
        assert cgroup.cpu_limit() == 2.5
        write(groups / "job/step", cpu_max="50000 100000")
        assert cgroup.cpu_limit() == 0.5

    def test_the_first_kind(self, groups: Path) -> None:
        belongs(groups, "4:cpu,cpuacct:/job", "0::/")
        write(groups / "cpu", cpu_cfs_quota_us=-1, cpu_cfs_period_us=100000)
        assert cgroup.cpu_limit() is None
        write(groups / "cpu/job", cpu_cfs_quota_us=400000, cpu_cfs_period_us=100000)
        assert cgroup.cpu_limit() == 4

    @pytest.mark.parametrize("said", ["max 100000", "", "1 0", "none"])
    def test_nothing_is_limited(self, groups: Path, said: str) -> None:
        belongs(groups, "0::/")
        write(groups, cpu_max=said)
        assert cgroup.cpu_limit() is None


@pytest.mark.usefixtures("groups")
def test_without_groups() -> None:
    assert (cgroup.memory_limit_bytes(), cgroup.memory_left_bytes(), cgroup.memory_kills()) == (None, None, None)


def test_a_system_that_does_not_say_where_a_process_belongs(groups: Path) -> None:
    write(groups, memory_max=GIB, memory_current=0)
    assert cgroup.memory_limit_bytes() == GIB


@pytest.mark.parametrize(
    "names", [("0::/job", "job/memory.events"), ("3:memory:/job", "memory/job/memory.oom_control")]
)
def test_who_was_killed_for_memory_is_counted(groups: Path, names: tuple[str, str]) -> None:
    belongs(groups, names[0])
    file = groups / names[1]
    file.parent.mkdir(parents=True)
    file.write_text("oom 4\noom_kill 2\nunder_oom 0\n")
    assert cgroup.memory_kills() == 2


def test_who_was_killed_in_another_job_is_not_counted(groups: Path) -> None:
    belongs(groups, "0::/jobs/ours/step")
    write(groups / "jobs", memory_events="oom_kill 9")
    write(groups / "jobs/ours", memory_events="oom_kill 1")
    write(groups / "jobs/ours/step", memory_current=GIB)
    assert cgroup.memory_kills() == 1


def test_where_no_group_counts_the_machine_does(groups: Path) -> None:
    belongs(groups, "0::/")
    (groups.parent / "vmstat").write_text("nr_free_pages 7\noom_kill 3\n")
    assert cgroup.memory_kills() == 3
