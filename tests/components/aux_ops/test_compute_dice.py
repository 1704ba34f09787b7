"""ComputeDice: the mean over classes, absent ones counted."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.aux_ops.compute_dice import ComputeDice


def dice(op: ComputeDice, predicted: list[list[int]], wanted: list[list[int]], *, classes: int = 3) -> float:
    onehot = torch.nn.functional.one_hot(torch.tensor(predicted), classes).movedim(-1, 1).float()
    values = op(probabilities=onehot, target=torch.tensor(wanted)[:, None], loss=torch.zeros(()))
    assert list(values) == list(op.tags()) == ["dice"]
    return values["dice"].item()


def test_mean_over_classes_and_items() -> None:
    assert dice(ComputeDice("dice"), [[0, 1, 2], [0, 0, 1]], [[0, 1, 2], [0, 1, 1]]) == pytest.approx(
        (3.0 + (2 / 3 + 2 / 3 + 1)) / 6
    )


def test_an_absent_class_counts_by_whether_it_was_predicted() -> None:
    op = ComputeDice("dice", skip_background=True)
    assert dice(op, [[0, 0]], [[0, 0]]) == 1.0
    assert dice(op, [[0, 1]], [[0, 0]]) == 0.5


def test_independent_predictions_and_onehot_targets() -> None:
    op = ComputeDice("dice", is_onehot_targets=True, is_independent_predictions=True)
    values = op(
        probabilities=torch.tensor([[[0.9, 0.8], [0.7, 0.1]]]),
        target=torch.tensor([[[1, 0], [1, 0]]]),
        loss=torch.zeros(()),
    )
    assert values["dice"].item() == pytest.approx((2 / 3 + 1) / 2)
