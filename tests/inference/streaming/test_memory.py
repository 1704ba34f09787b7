"""What is told beforehand of the memory that a prediction takes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

from tests.inference.streaming.nets import CPU, Kind, Net, network
from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.inference.streaming import memory
from vesalia.inference.streaming.chain import StreamedChain
from vesalia.inference.streaming.memory import Streamed, network_bytes
from vesalia.inference.streaming.network import Network

KINDS: tuple[Kind, ...] = ("narrow", "pointwise")
INFERER = TFScanWindowInferer([8, 8, 8], batch_size=2)


def test_the_largest_layer_counts_without_the_last_one() -> None:
    """One channel in, four out, in float32 and twice; the last layer would give five."""
    assert network_bytes(network(), INFERER) == 2 * 4 * 2 * 8**3 * (1 + 4)
    assert network_bytes(network(kind="wide"), INFERER) == 2 * 4 * 2 * 8**3 * (4 + 5)


def test_a_network_that_cannot_be_tried_says_nothing() -> None:
    class Choosy(Net):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            if image.shape[-1] < 64:
                raise ValueError("too small")
            return super().logits(image)

    assert network_bytes(Network(Choosy().eval(), CPU, nullcontext), INFERER) == 0


def test_a_layer_that_gives_several_tensors_counts_them_all() -> None:
    class Pair(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
            return [image, image]

    class Two(Net):
        def __init__(self) -> None:
            super().__init__()
            self.pair = Pair()

        def logits(self, image: torch.Tensor) -> torch.Tensor:
            self.pair(torch.cat([image] * 9, dim=1))
            return super().logits(image)

    assert network_bytes(Network(Two().eval(), CPU, nullcontext), INFERER) == 2 * 4 * 2 * 8**3 * 27


def test_windows_are_those_of_the_inferer() -> None:
    streamed = Streamed(INFERER, StreamedChain(None, None, ()), size_divisor=16, pass_bytes=0)
    assert streamed.windows((20, 16, 16)).window == (16, 16, 16)
    assert streamed.windows((20, 16, 16)).count == 2


def test_what_a_subject_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "loops_bytes", lambda: 7_000_000)
    streamed = Streamed(INFERER, StreamedChain(None, None, ()), size_divisor=1, pass_bytes=7)
    own = streamed.memory("one", (20, 16, 16), target=(20, 16, 16), classes=10, image_bytes=5)
    windows = streamed.windows((20, 16, 16))
    assert (own.windows, own.image_bytes, own.result_bytes) == (windows.count, 5, 20 * 16 * 16)
    assert (own.waiting_bytes, own.file_bytes, own.network_bytes) == (40 * windows.open_voxels, 0, 7)
    finer = streamed.memory("one", (20, 16, 16), target=(40, 16, 16), classes=10, image_bytes=5)
    assert finer.waiting_bytes == 40 * (windows.open_voxels + windows.face_voxels)
    assert finer.result_bytes == 2 * own.result_bytes
    assert finer.least_bytes == 5 + finer.result_bytes + finer.waiting_bytes
    assert finer.peak_bytes == finer.process_bytes + finer.least_bytes + 7 + finer.work_bytes
    assert "work 0.14 GB" in str(finer)


def test_of_a_network_with_few_features_these_wait() -> None:
    chain = StreamedChain(None, None, ())
    few, many = (Streamed.of(network(kind=kind), INFERER, chain=chain) for kind in KINDS)
    assert (few.features, many.features, Streamed.of(network(kind="wide"), INFERER, chain=chain).features) == (1, 4, 0)
    windows = few.windows((20, 16, 16))
    waiting = [one.memory("one", (20, 16, 16), target=(20, 16, 16), classes=5, image_bytes=0) for one in (few, many)]
    assert [plan.waiting_bytes for plan in waiting] == [4 * windows.kept_voxels, 20 * windows.open_voxels]


def test_features_of_a_layer_that_turns_out_to_be_needed_do_not_count() -> None:
    """The pass that is measured shows that the network reads what the layer gives."""

    class Reading(Net):
        def logits(self, image: torch.Tensor) -> torch.Tensor:
            said = super().logits(image)
            if said.is_meta:
                raise ValueError("found no values")
            return said

    net = Network(Reading(features=1).eval(), CPU, nullcontext)
    assert Streamed.of(net, INFERER, chain=StreamedChain(None, None, ())).features == 0
