"""Several processes of one training, started as launchers start them; forked from a server that has imported all."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import multiprocessing
import os
import socket
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

__all__ = ["PATIENCE_S", "Rank", "launched", "train_together"]

PATIENCE_S = 240.0


@dataclass(frozen=True)
class Rank:
    """One of them.

    Attributes:
        process: Its process.
        folder: Where its output goes.
    """

    process: ForkServerProcess
    folder: Path

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        """What it said to people; a note of torch's, which the command keeps away, was allowed by the server."""
        lines = (self.folder / "err").read_text().splitlines()
        return "\n".join(line for line in lines if "reducer.cpp" not in line)

    def code(self) -> int:
        """Its exit code, once it has ended."""
        self.process.join(PATIENCE_S)
        assert self.process.exitcode is not None, f"{self.folder.name} hangs: {self.out}{self.err}"
        return self.process.exitcode


def _work(arguments: Sequence[str], environment: dict[str, str], folder: Path) -> None:
    """The command line; runs in the forked process."""
    os.environ.update(environment)
    for name, number in (("out", 1), ("err", 2)):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    import torch

    from vesalia.cli.main import main

    torch.set_num_threads(1)
    main(list(arguments))


def _environment(launcher: str, rank: int, world: int, job: str) -> dict[str, str]:
    if launcher == "mpirun":
        names = ("RANK", "SIZE", "LOCAL_RANK", "LOCAL_SIZE")
        numbers = (rank, world, rank, world)
        return {"PMIX_NAMESPACE": job} | {
            f"OMPI_COMM_WORLD_{name}": str(number) for name, number in zip(names, numbers, strict=True)
        }
    if launcher == "srun":
        return {
            "SLURM_PROCID": str(rank), "SLURM_STEP_NUM_TASKS": str(world), "SLURM_LOCALID": str(rank),
            "SLURM_STEP_TASKS_PER_NODE": str(world), "SLURM_NODEID": "0", "SLURM_JOB_ID": job,
            "SLURM_STEP_NODELIST": "localhost",
        }  # fmt: skip
    return {
        "RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": job,
    }  # fmt: skip


def _free_port() -> str:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return str(asked.getsockname()[1])


@contextmanager
def launched(
    folder: Path, world: int, *arguments: str, launcher: str = "torchrun", only: dict[int, Sequence[str]] | None = None
) -> Iterator[list[Rank]]:
    """``vesalia`` with ``arguments`` in ``world`` processes; they are ended afterwards, whatever happened.

    Args:
        folder: Where their output goes.
        world: How many.
        arguments: The command line.
        launcher: Whose variables they get.
        only: Further arguments for single ranks.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vesalia.training.fit", "vesalia.datatools.preflight", "monai.networks.nets"])
    job = _free_port() if launcher == "torchrun" else str(uuid.uuid4().int)
    ranks = []
    for rank in range(world):
        own = folder / f"rank{rank}-{uuid.uuid4().hex[:6]}"
        own.mkdir(parents=True)
        command = [*arguments, *(only or {}).get(rank, ())]
        environment = _environment(launcher, rank, world, job)
        process = context.Process(target=_work, args=(command, environment, own), daemon=True)
        process.start()
        ranks.append(Rank(process, own))
    try:
        yield ranks
    finally:
        for rank_ in ranks:
            rank_.process.kill()
            rank_.process.join(PATIENCE_S)


def train_together(archive: Path, world: int, *arguments: str, launcher: str = "torchrun") -> list[Rank]:
    """Train an archive in ``world`` processes to the end."""
    command = ["train", str(archive), "--seed", "1", "--device", "cpu", *arguments]
    with launched(archive.parent / "output", world, *command, launcher=launcher) as ranks:
        codes = [rank.code() for rank in ranks]
    assert codes == [0] * world, "\n".join(rank.err for rank in ranks)
    return ranks
