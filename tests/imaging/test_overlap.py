"""Dice of masks and of label maps, against sets of voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import DataError
from vesalia.imaging.overlap import dice_of_labels, dice_of_masks, present_mean, sums_to_one


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
    predicted, wanted = torch.randint(0, 3, (6, 5, 4)), torch.randint(0, 3, (6, 5, 4))
    numbers = torch.arange(3).view(3, 1, 1, 1)
    masks = dice_of_masks(predicted == numbers, wanted == numbers)
    assert torch.equal(masks, dice_of_labels(predicted, wanted.to(torch.uint8), classes=3))


def test_different_shapes_are_a_data_error() -> None:
    with pytest.raises(DataError, match="label: found"):
        dice_of_labels(torch.zeros(2, 3), torch.zeros(3, 2), classes=2)
    with pytest.raises(DataError, match="label: found"):
        dice_of_masks(torch.zeros(1, 3).bool(), torch.zeros(1, 1).bool())


def test_mean_of_what_is_present() -> None:
    scores = torch.tensor([[0.5, math.nan, 1.0], [math.nan] * 3])
    assert present_mean(scores).tolist() == pytest.approx([0.75, math.nan], nan_ok=True)


def test_softmax_sums_to_one_and_sigmoid_does_not() -> None:
    logits = torch.randn(3, 4, 4)
    assert sums_to_one(logits.softmax(0))
    assert not sums_to_one(logits.sigmoid())
    almost = logits.softmax(0)
    almost[0, 0, 0] += 0.01
    assert not sums_to_one(almost)
