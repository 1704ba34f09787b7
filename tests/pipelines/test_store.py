"""Items in memory: up to a limit, each once, gone when let go."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.imaging.volume import Sample, Volume
from vesalia.pipelines.gpu_room import Account
from vesalia.pipelines.item_file import Kept
from vesalia.pipelines.store import MemoryStore, sample_bytes


def item(side: int = 4) -> Sample:
    label = torch.zeros(1, side, side, side, dtype=torch.uint8)
    fields = {
        "image": Volume(torch.zeros(1, side, side, side), channel="first"),
        "label": Volume(label, channel="first"),
    }
    return Sample(fields, prepared={"of": label, "list": torch.arange(3, dtype=torch.int32), "mark": torch.empty(0)})


def test_what_is_shared_counts_once() -> None:
    assert sample_bytes(item()) == 64 * 4 + 64 + 12


def test_a_limit_is_never_exceeded() -> None:
    store = MemoryStore(limit=3 * sample_bytes(item()) - 1)
    assert [store.put(index, Kept(item())) for index in range(3)] == [True, True, False]
    assert store.held == {0, 1}
    assert store.get(2) is None
    assert store.held_bytes == 2 * sample_bytes(item())
    assert store.put(2, Kept(item(2)))


def test_what_is_let_go_makes_room() -> None:
    store = MemoryStore(limit=sample_bytes(item()))
    store.put(0, Kept(item()))
    store.keep_only({5})
    assert store.held_bytes == 0
    assert store.put(1, Kept(item()))
    store.close()
    assert store.held == frozenset()


def test_stores_of_one_account_take_no_more_than_it_has_together() -> None:
    account, size = Account(3 * sample_bytes(item())), sample_bytes(item())
    train, validation = MemoryStore(account=account), MemoryStore(limit=2 * size, account=account)
    assert [train.put(0, Kept(item())), train.put(1, Kept(item()))] == [True, True]
    assert [validation.put(0, Kept(item())), validation.put(1, Kept(item()))] == [True, False]
    assert (account.taken, account.left) == (3 * size, 0)
    train.keep_only({1})
    assert validation.put(1, Kept(item()))
    assert not validation.put(2, Kept(item()))
    train.close()
    train.close()
    assert account.taken == 2 * size


def test_memory_is_nobody_else_s() -> None:
    store = MemoryStore()
    assert store.find(0) is None
    assert store.claims(0)
    assert not store.awaited(0)
    store.release(0)


def on_device(device: str) -> None:
    store = MemoryStore(device=device)
    store.put(0, Kept(item()))
    found = store.get(0)
    assert found is not None
    assert {volume.data.device for volume in found.fields.values()} == {torch.device(device)}
    assert found.prepared["of"] is found["label"].data
    assert found.prepared["list"].device.type == "cpu"


def test_voxels_go_to_the_device_and_lists_stay() -> None:
    on_device("meta")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU here")
def test_voxels_go_to_the_gpu_and_lists_stay() -> None:
    on_device("cuda:0")
