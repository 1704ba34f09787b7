"""Dice of masks and of label maps, against sets of voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from tests.drawn import integers, normal
from vesalia.errors import DataError
from vesalia.imaging.overlap import dice_of_labels, dice_of_masks, present_mean, sums_to_one


class Allocations(TorchDispatchMode):
    """Notes the size of the largest tensor that is made, views of the given ones aside."""

    def __init__(self, given: set[int]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it untyped
        self.given = given
        self.largest = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor) and made.untyped_storage().data_ptr() not in self.given:
            self.largest = max(self.largest, made.untyped_storage().nbytes())
        return made


def dice_by_sets(predicted: list[int], wanted: list[int], label: int) -> float:
    one = {place for place, value in enumerate(predicted) if value == label}
    two = {place for place, value in enumerate(wanted) if value == label}
    return 2 * len(one & two) / (len(one) + len(two)) if two else math.nan


@given(pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 6)), min_size=1, max_size=60))
def test_label_maps_against_sets(pairs: list[tuple[int, int]]) -> None:
    predicted, wanted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    expected = [dice_by_sets(predicted, wanted, label) for label in range(4)]
    found = dice_of_labels(torch.tensor(predicted), torch.tensor(wanted), classes=4)
    assert found.tolist() == pytest.approx(expected, nan_ok=True)


@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_masks_against_sets(pairs: list[tuple[bool, bool]]) -> None:
    predicted, wanted = [int(pair[0]) for pair in pairs], [int(pair[1]) for pair in pairs]
    found = dice_of_masks(torch.tensor([predicted]).bool(), torch.tensor([wanted]).bool())
    assert found.tolist() == pytest.approx([dice_by_sets(predicted, wanted, 1)], nan_ok=True)


def test_masks_and_labels_agree_on_volumes() -> None:
    predicted, wanted = integers(3, (6, 5, 4)), integers(3, (6, 5, 4), seed=4)
    numbers = torch.arange(3).view(3, 1, 1, 1)
    masks = dice_of_masks(predicted == numbers, wanted == numbers)
    assert torch.equal(masks, dice_of_labels(predicted, wanted.to(torch.uint8), classes=3))


@pytest.mark.parametrize("shape", [(), (0,), (1, 1, 7, 3, 2), (2, 9), (3, 1, 1)])
def test_slabs_together_are_the_whole(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]) -> None:
    predicted, wanted = torch.randint(0, 3, shape), torch.randint(-1, 5, shape)
    whole = dice_of_labels(predicted, wanted, classes=3)
    before = wanted.clone()
    monkeypatch.setattr("vesalia.imaging.overlap._SLAB_VOXELS", 4)
    parts = dice_of_labels(predicted.float(), wanted.mT.contiguous().mT if wanted.ndim > 1 else wanted, classes=3)
    assert torch.equal(whole.nan_to_num(-1), parts.nan_to_num(-1))
    assert torch.equal(wanted, before)


def test_memory_does_not_grow_with_the_volume() -> None:
    labels = torch.zeros(16, 512, 512, dtype=torch.uint8)  # 4.2 million voxels, 34 MB as int64
    wanted = labels.float()
    with Allocations({labels.data_ptr(), wanted.data_ptr()}) as made:
        dice_of_labels(labels, wanted, classes=3)
    assert 0 < made.largest <= 8_000_000


def test_different_shapes_are_a_data_error() -> None:
    with pytest.raises(DataError, match="label: found"):
        dice_of_labels(torch.zeros(2, 3), torch.zeros(3, 2), classes=2)
    with pytest.raises(DataError, match="label: found"):
        dice_of_masks(torch.zeros(1, 3).bool(), torch.zeros(1, 1).bool())


def test_mean_of_what_is_present() -> None:
    scores = torch.tensor([[0.5, math.nan, 1.0], [math.nan] * 3])
    assert present_mean(scores).tolist() == pytest.approx([0.75, math.nan], nan_ok=True)


def test_softmax_sums_to_one_and_sigmoid_does_not() -> None:
    logits = normal(3, 4, 4)
    assert sums_to_one(logits.softmax(0))
    assert not sums_to_one(logits.sigmoid())
    almost = logits.softmax(0)
    almost[0, 0, 0] += 0.01
    assert not sums_to_one(almost)
