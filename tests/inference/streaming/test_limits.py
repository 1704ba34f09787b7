"""What a device had no memory for is not tried again."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.inference.streaming import limits
from vesalia.inference.streaming.limits import Limits, free_bytes, free_cached

CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


def test_as_many_windows_as_asked_for_until_too_many_were() -> None:
    assert Limits().group(4) == 4
    assert Limits(windows=2).group(4) == 2
    assert Limits(windows=2).group(1) == 1


def test_sums_go_where_there_is_room_for_twice_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "free_bytes", lambda _: 200.0)
    assert Limits().holds(100, ELSEWHERE)
    assert not Limits().holds(101, ELSEWHERE)
    assert Limits().holds(101, CPU)


def test_sums_that_a_device_ran_full_with_are_not_tried_again() -> None:
    assert not Limits(waiting_bytes=100).holds(100, ELSEWHERE)
    assert Limits(waiting_bytes=100).holds(99, ELSEWHERE)
    assert Limits(waiting_bytes=100).holds(100, CPU)


def test_nobody_says_what_a_processor_has() -> None:
    assert free_bytes(CPU) == float("inf")


@pytest.mark.parametrize(("kind", "expected"), [("cuda", "accelerator"), ("cpu", "machine")])
def test_memory_is_given_back_where_it_lies(kind: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: done.append("accelerator"))
    monkeypatch.setattr(limits, "give_back_memory", lambda: done.append("machine"))
    free_cached(torch.device(kind))
    assert done == [expected]
