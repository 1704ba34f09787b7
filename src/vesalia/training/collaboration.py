"""Fabric for one process, or for one of several that exchange gradients (DDP)."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from vesalia.errors import ResourceError
from vesalia.runtime.precision import FabricPrecision
from vesalia.runtime.ranks import Launch
from vesalia.runtime.together import Ranks, Together

__all__ = ["Launched", "make_fabric"]


class Launched(ClusterEnvironment):
    """What a launcher said, as Fabric asks for it; the processes are connected already.

    Args:
        launch: What it said.
    """

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self._launch = launch

    @property
    def creates_processes_externally(self) -> bool:
        """A launcher did."""
        return True

    @property
    def main_address(self) -> str:
        """The first rank's machine."""
        return self._launch.host

    @property
    def main_port(self) -> int:
        """Where ranks meet there."""
        return self._launch.port

    @staticmethod
    def detect() -> bool:
        """Never by itself."""
        return False

    def world_size(self) -> int:
        """How many processes there are."""
        return self._launch.world

    def set_world_size(self, size: int) -> None:
        """Nothing: the launcher said it, and machines may have different numbers of processes."""

    def global_rank(self) -> int:
        """This process."""
        return self._launch.rank

    def set_global_rank(self, rank: int) -> None:
        """Nothing: the launcher said it."""

    def local_rank(self) -> int:
        """This process on its machine."""
        return self._launch.local_rank

    def node_rank(self) -> int:
        """This machine, as far as it matters: the first or another."""
        return int(self._launch.rank != self._launch.local_rank)


def make_fabric(ranks: Ranks, device: torch.device, *, precision: FabricPrecision) -> Fabric:
    """Fabric on ``device``; gradients are averaged over ``ranks``.

    Running statistics (batch normalisation) are each rank's own within a step; before the next one all get the first
    rank's.
    """
    if not isinstance(ranks, Together):
        index = [device.index or 0] if device.type == "cuda" else 1
        return Fabric(accelerator=device.type, devices=index, precision=precision)
    launch = ranks.launch
    gpus = torch.cuda.device_count()
    if device.type == "cuda" and gpus < launch.local_world:
        message = f"multi_gpu: found {launch.local_world} processes on a machine with {gpus} GPUs, expected a GPU for "
        raise ResourceError(f"{message}each; start {gpus} of them, or write --device cpu")
    fabric = Fabric(
        accelerator=device.type,
        devices=launch.local_world,
        num_nodes=-(-launch.world // launch.local_world),
        strategy=DDPStrategy(cluster_environment=Launched(launch), find_unused_parameters=True),
        precision=precision,
    )
    fabric.launch()
    return fabric
