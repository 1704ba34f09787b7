"""Fabric for one process and for one of several."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
import torch.distributed as dist
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision
from torch._C._distributed_c10d import HashStore

from vesalia.errors import ResourceError
from vesalia.runtime.lifeline import Lifeline
from vesalia.runtime.ranks import Launch
from vesalia.runtime.together import ALONE, Together
from vesalia.training.collaboration import Launched, make_fabric
from vesalia.training.fit import _parts

CPU = torch.device("cpu")


@pytest.fixture
def group() -> Iterator[Together]:
    """One process that thinks it is several."""
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield Together(Launch(launcher="torchrun", host="127.0.0.1", port=29500), Lifeline(0, 1))
    dist.destroy_process_group()


def test_one_alone_exchanges_nothing() -> None:
    fabric = make_fabric(ALONE, CPU, precision="32-true")
    network = fabric.setup(torch.nn.Linear(2, 1))
    assert not isinstance(network._forward_module, torch.nn.parallel.DistributedDataParallel)


def test_several_average_their_gradients(group: Together) -> None:
    fabric = make_fabric(group, CPU, precision="32-true")
    network = fabric.setup(torch.nn.Linear(2, 1))
    assert isinstance(network._forward_module, torch.nn.parallel.DistributedDataParallel)
    assert network._forward_module.find_unused_parameters
    assert (fabric.world_size, fabric.global_rank, fabric.device) == (1, 0, CPU)


def test_each_process_needs_a_gpu_of_its_own(group: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ResourceError, match=r"1 processes on a machine with 0 GPUs, .* or write --device cpu"):
        make_fabric(group, torch.device("cuda", 0), precision="32-true")


def test_what_the_launcher_said_is_what_fabric_hears() -> None:
    launched = Launched(Launch(rank=5, world=7, local_rank=1, local_world=4, host="node-1", port=29500))
    launched.set_global_rank(0)
    launched.set_world_size(8)
    assert (launched.global_rank(), launched.world_size(), launched.local_rank(), launched.node_rank()) == (5, 7, 1, 1)
    assert (launched.main_address, launched.main_port) == ("node-1", 29500)
    assert launched.creates_processes_externally
    assert not Launched.detect()


def test_a_gradient_scaler_is_part_of_what_is_resumed() -> None:
    """On a GPU without bfloat16; here Fabric is given one by hand."""
    scaler = torch.amp.GradScaler("cpu")
    plugin = MixedPrecision("16-mixed", device="cpu", scaler=scaler)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=[plugin])
    assert _parts(fabric, None) == {"scaler": scaler}
    assert _parts(make_fabric(ALONE, CPU, precision="bf16-mixed"), None) == {}
