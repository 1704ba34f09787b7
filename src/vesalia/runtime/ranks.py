"""What a launcher says of this process, when it started more than one: torchrun, mpirun, srun. Needs no torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from vesalia.errors import ResourceError

__all__ = ["Launch", "process_rank", "read_launch", "require_meeting_place"]

_PORTS = range(20000, 32000)
"""Ports of this range are open to everybody and given to nobody by the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Which of several processes this is, and where they meet.

    Attributes:
        rank: This process, counted from 0.
        world: How many there are, on all machines.
        local_rank: This process among those of its machine.
        local_world: How many there are on this machine.
        launcher: Who started them.
        host: Name or address of the first rank's machine; empty where nobody says.
        port: Where they meet there.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    launcher: str = ""
    host: str = ""
    port: int = 0

    @property
    def first_here(self) -> bool:
        """Whether this is the first process of its machine."""
        return self.local_rank == 0


@dataclass(frozen=True, slots=True)
class _Names:
    """What a launcher calls its variables.

    Attributes:
        launcher: The launcher.
        rank: This process.
        world: How many there are.
        local_rank: This process on its machine.
        local_world: How many there are on this machine.
        job: What all processes of a job have in common, and no other job.
    """

    launcher: str
    rank: str
    world: str
    local_rank: str
    local_world: str
    job: str


_LAUNCHERS = (
    _Names("torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID"),
    _Names(
        "mpirun",  # of Open MPI, which v3's scripts call
        "OMPI_COMM_WORLD_RANK",
        "OMPI_COMM_WORLD_SIZE",
        "OMPI_COMM_WORLD_LOCAL_RANK",
        "OMPI_COMM_WORLD_LOCAL_SIZE",
        "PMIX_NAMESPACE",
    ),
    # srun's before those of PMI, which it may set as well; the variables of a step, which a batch script lacks
    _Names("srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "", "SLURM_JOB_ID"),
    _Names("mpirun", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", "PMI_ID"),  # of MPICH and Intel
)


def read_launch(environment: Mapping[str, str] | None = None) -> Launch:
    """What the environment says; a process alone where it says nothing."""
    given = os.environ if environment is None else environment
    for names in _LAUNCHERS:
        rank, world = _number(given, names.rank), _number(given, names.world)
        if rank is not None and world is not None and rank < world:
            return _launch(given, names, rank=rank, world=world)
    return Launch()


def process_rank() -> int:
    """This process's rank, even where nobody says how many there are; 0 where no launcher said anything."""
    said = (_number(os.environ, names.rank) for names in _LAUNCHERS if names.launcher != "srun")
    return read_launch().rank or next((rank for rank in said if rank is not None), 0)


def _launch(given: Mapping[str, str], names: _Names, *, rank: int, world: int) -> Launch:
    local_world = _number(given, names.local_world) or _tasks_here(given) or world
    local_rank = _number(given, names.local_rank)
    return Launch(
        rank=rank,
        world=world,
        local_rank=rank % local_world if local_rank is None else local_rank,
        local_world=local_world,
        launcher=names.launcher,
        host=given.get("MASTER_ADDR") or _first_host(given, world=world, local_world=local_world),
        port=_number(given, "MASTER_PORT") or _port_of(given.get(names.job, "")),
    )


def _number(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "")
    return int(text) if text.isdecimal() else None


def _tasks_here(given: Mapping[str, str]) -> int | None:
    """Tasks of this node from ``4(x2),1``: srun tells them run by run."""
    runs = re.findall(r"(\d+)(?:\(x(\d+)\))?", given.get("SLURM_STEP_TASKS_PER_NODE", ""))
    counts = [int(count) for count, nodes in runs for _ in range(int(nodes or 1))]
    node = _number(given, "SLURM_NODEID") or 0
    return counts[node] if node < len(counts) else None


def _first_host(given: Mapping[str, str], *, world: int, local_world: int) -> str:
    """The machine of the first rank; empty where nothing says it."""
    nodes = given.get("SLURM_STEP_NODELIST") or given.get("SLURM_JOB_NODELIST") or ""
    first = re.match(r"([^,\[]+)(?:\[(\d+))?", nodes)
    if first:
        return first.group(1) + (first.group(2) or "")
    return "127.0.0.1" if world == local_world else ""


def _port_of(job: str) -> int:
    """A port of the job's own, the same for all its processes."""
    digest = hashlib.blake2b(job.encode(), digest_size=4).digest()
    return _PORTS[int.from_bytes(digest, "big") % len(_PORTS)]


def require_meeting_place(launch: Launch) -> None:
    """Refuse a launch over several machines of which nobody says which is the first.

    Raises:
        ResourceError: It is one.
    """
    if not launch.host:
        message = (
            f"multi_gpu: found {launch.world} processes of {launch.launcher} on several machines and no MASTER_ADDR, "
            "expected the name of the first one's machine; write mpirun -x MASTER_ADDR=<its name> -x MASTER_PORT=29500"
        )
        raise ResourceError(message)
