"""The memory of a GPU: one account for all caches of a run, measured while it is empty."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.errors import ResourceError
from vesalia.pipelines.gpu_room import Account, account_of, gpu_of_this_process

GPU = torch.device("cuda", 5)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes that are free on a pretended GPU."""
    found = [1000]
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (found[0], 9999))
    return found


def test_the_caches_of_a_run_have_one_account(free: list[int]) -> None:
    train = account_of(GPU)
    assert train.limit == 600
    assert train.take(500)
    free[0] -= 500
    validation = account_of(GPU)
    assert validation is train
    assert validation.left == 100
    assert not validation.take(101)
    assert validation.take(100)


def test_an_empty_account_is_measured_anew(free: list[int]) -> None:
    account = account_of(GPU)
    account.take(10)
    account.give(10)
    free[0] = 500
    assert account_of(GPU).limit == account.limit == 300


@pytest.mark.usefixtures("free")
def test_each_gpu_has_its_own() -> None:
    one, other = account_of(GPU), account_of(torch.device("cuda", 6))
    one.take(600)
    assert other.left == 600


def test_an_account_begins_empty() -> None:
    assert (Account(7).taken, Account(7).left, Account().take(1)) == (0, 7, False)


def test_the_gpu_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
    assert gpu_of_this_process("cuda") == torch.device("cuda", 2)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ResourceError, match='cache_device: found "cuda" and no such GPU, expected one; write "cpu"'):
        gpu_of_this_process("cuda")
