"""What waits: the budget is kept, what is needed last leaves first, everything comes back as it was."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import torch

from vesalia.inference.streaming.arrays import NumpyArrays
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.tensors import TensorArrays

BLOCK = 4 * 2 * 3
"""Bytes of two channels of three voxels."""


def shelf(blocks: int) -> Shelf:
    return Shelf(NumpyArrays(), blocks * BLOCK)


def put(on: Shelf, key: int, *, due: int) -> None:
    on.new(key, (2, 3))[...] = key
    on.rest(key, due)


def test_sums_come_back_whatever_the_budget() -> None:
    for blocks in (0, 1, 2, 5, 50):
        kept = shelf(blocks)
        for key in range(10):
            put(kept, key, due=key)
        for key in range(10):
            assert (kept.use(key) == key).all()
            kept.drop(key)
        assert (kept.file.written_bytes > 0) == (blocks < 10)
        kept.close()


def test_the_budget_is_kept_by_sums_that_rest() -> None:
    kept = shelf(4)
    for key in range(10):
        put(kept, key, due=key)
        assert kept.taken_bytes <= 4 * BLOCK
    kept.close()


def test_what_is_needed_last_leaves_first() -> None:
    kept = shelf(2)
    put(kept, 1, due=9)
    put(kept, 2, due=3)
    put(kept, 3, due=4)
    written = kept.file.written_bytes
    kept.use(2)
    kept.use(3)
    assert written == kept.file.written_bytes == BLOCK
    kept.close()


def test_room_that_was_asked_for_again_is_the_same() -> None:
    kept = shelf(2)
    assert kept.new("a", (2, 3)) is kept.new("a", (2, 3))
    kept.close()


def test_memory_is_used_again_and_given_back_for_other_shapes() -> None:
    kept = shelf(2)
    first = kept.new("a", (2, 3))
    kept.drop("a")
    assert kept.new("b", (2, 3)) is first
    kept.drop("b")
    kept.new("c", (1, 12))
    assert kept.taken_bytes == 2 * BLOCK
    kept.close()


def test_sums_in_use_may_exceed_the_budget() -> None:
    kept = shelf(1)
    for key in range(3):
        kept.new(key, (2, 3))
    assert kept.taken_bytes == 3 * BLOCK
    kept.close()


def test_spare_memory_is_bounded() -> None:
    kept = Shelf(NumpyArrays(), 10**12)
    for key in range(3):
        kept.new(key, (1, 8_000_000))
    for key in range(3):
        kept.drop(key)
    assert kept.taken_bytes == 2 * 4 * 8_000_000
    kept.close()


def test_all_sums_move_to_other_memory() -> None:
    kept = shelf(9)
    put(kept, 7, due=1)
    kept.new(8, (2, 3))
    kept.drop(8)
    kept.move(TensorArrays(torch.device("cpu")))
    moved = kept.use(7)
    assert isinstance(moved, torch.Tensor)
    assert np.array_equal(moved.numpy(), np.full((2, 3), 7))
    assert kept.taken_bytes == BLOCK
    kept.close()
