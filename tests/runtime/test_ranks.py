"""The ranks that launchers put into the environment."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.errors import ResourceError
from vesalia.runtime.ranks import Launch, process_rank, read_launch, require_meeting_place

OPEN_MPI = {
    "OMPI_COMM_WORLD_RANK": "3",
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_LOCAL_RANK": "1",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "PMIX_NAMESPACE": "prterun-node-1@1",
}
SRUN = {
    "SLURM_PROCID": "4",
    "SLURM_STEP_NUM_TASKS": "5",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "2",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2),1",
    "SLURM_JOB_ID": "77",
    "SLURM_STEP_NODELIST": "gpu[07-09],login",
}


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)


def test_alone_is_rank_zero() -> None:
    assert process_rank() == 0
    assert read_launch({}) == Launch()
    assert read_launch({}).first_here


@pytest.mark.parametrize("name", ["RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK"])
def test_a_rank_counts_even_where_nobody_says_how_many_there_are(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "3")
    assert process_rank() == 3
    assert read_launch().world == 1


def test_nonsense_is_rank_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "first")
    assert process_rank() == 0


def test_torchrun() -> None:
    given = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
    launch = read_launch({**given, "MASTER_ADDR": "node-1", "MASTER_PORT": "29511", **OPEN_MPI})
    assert launch == Launch(
        rank=5, world=8, local_rank=1, local_world=4, launcher="torchrun", host="node-1", port=29511
    )
    assert not launch.first_here


def test_mpirun_on_one_machine_needs_no_address() -> None:
    launch = read_launch({**OPEN_MPI, "OMPI_COMM_WORLD_LOCAL_SIZE": "4"})
    assert (launch.rank, launch.world, launch.local_rank, launch.launcher) == (3, 4, 1, "mpirun")
    assert launch.host == "127.0.0.1"
    require_meeting_place(launch)


def test_the_port_is_the_job_s_own() -> None:
    others = {**OPEN_MPI, "OMPI_COMM_WORLD_RANK": "0"}
    assert read_launch(OPEN_MPI).port == read_launch(others).port
    assert read_launch(OPEN_MPI).port != read_launch({**OPEN_MPI, "PMIX_NAMESPACE": "prterun-node-1@2"}).port


def test_mpirun_on_several_machines_is_told_what_it_lacks() -> None:
    launch = read_launch(OPEN_MPI)
    assert launch.host == ""
    with pytest.raises(ResourceError, match=r"4 processes of mpirun .* no MASTER_ADDR, .* -x MASTER_ADDR="):
        require_meeting_place(launch)
    require_meeting_place(read_launch({**OPEN_MPI, "MASTER_ADDR": "node-1"}))


def test_srun_says_where_the_first_is_and_how_many_are_here() -> None:
    launch = read_launch(SRUN)
    assert (launch.rank, launch.world, launch.local_rank, launch.local_world) == (4, 5, 0, 1)
    assert (launch.launcher, launch.host) == ("srun", "gpu07")


def test_a_batch_script_is_no_rank() -> None:
    assert read_launch({"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "77"}) == Launch()


def test_mpich() -> None:
    launch = read_launch({"PMI_RANK": "1", "PMI_SIZE": "2"})
    assert (launch.rank, launch.world, launch.local_rank, launch.local_world) == (1, 2, 1, 2)


def test_a_rank_beyond_the_last_is_none() -> None:
    assert read_launch({"RANK": "2", "WORLD_SIZE": "2"}) == Launch()
