"""Memory that ran out is known whoever says so; other errors are not taken for it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from vesalia.runtime.memory import give_back_memory, is_out_of_memory

MORE_THAN_ANY_MACHINE_HAS = 1 << 50


def test_what_torch_says_on_a_processor() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(MORE_THAN_ANY_MACHINE_HAS, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_what_numpy_says() -> None:
    with pytest.raises(MemoryError) as caught:
        np.empty(MORE_THAN_ANY_MACHINE_HAS, dtype=np.uint8)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: not enough memory: you tried")],
)
def test_what_is_said_elsewhere(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes differ"), ValueError("DefaultCPUAllocator: can't allocate memory"), OSError(28, "")]
)
def test_other_errors(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_memory_is_given_back_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Library:
        def __init__(self, _: None) -> None:
            self.malloc_trim = asked.append

    monkeypatch.setattr("vesalia.runtime.memory.ctypes.CDLL", Library)
    give_back_memory()
    assert asked == [0]
    monkeypatch.setattr("vesalia.runtime.memory.ctypes.CDLL", object)
    give_back_memory()
    assert asked == [0]
