"""Dice: the conformance suite, and its own arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.losses.dice import Dice
from vesalia.testing.losses import LossSuite


class TestDice(LossSuite):
    def make(self) -> Dice:
        return Dice()


class TestDiceWithoutBackground(LossSuite):
    def make(self) -> Dice:
        return Dice(skip_background=True)


class TestDiceSquared(LossSuite):
    def make(self) -> Dice:
        return Dice(squared_pred=True, jaccard=True)


def example() -> tuple[torch.Tensor, torch.Tensor]:
    probabilities = torch.tensor([[0.9, 0.2, 0.5], [0.1, 0.8, 0.5]]).view(1, 2, 3)
    return probabilities, torch.tensor([0, 1, 1]).view(1, 1, 3)


def test_by_hand() -> None:
    probabilities, target = example()
    background = 2 * 0.9 / (1 + 1.6 + 1e-5)
    organ = 2 * 1.3 / (2 + 1.4 + 1e-5)
    assert Dice()(probabilities, target).item() == pytest.approx(1 - (background + organ) / 2, abs=1e-6)
    assert Dice(skip_background=True)(probabilities, target).item() == pytest.approx(1 - organ, abs=1e-6)


def test_jaccard_keeps_twice_the_intersection_on_top() -> None:
    probabilities, target = example()
    organ = 2 * 1.3 / (2 + 1.4 - 1.3 + 1e-5)
    loss = Dice(jaccard=True, skip_background=True)(probabilities, target)
    assert loss.item() == pytest.approx(1 - organ, abs=1e-6)


def test_squares_in_the_denominator() -> None:
    probabilities, target = example()
    organ = 2 * 1.3 / (2 + 0.01 + 0.64 + 0.25 + 1e-5)
    loss = Dice(squared_pred=True, skip_background=True)(probabilities, target)
    assert loss.item() == pytest.approx(1 - organ, abs=1e-6)


def test_an_absent_class_costs_one() -> None:
    probabilities = torch.tensor([[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]).view(1, 3, 2)
    assert Dice()(probabilities, torch.zeros(1, 1, 2)).item() == pytest.approx(2 / 3, abs=1e-4)
    generous = Dice(smooth=1.0, top_smooth=1.0)
    assert generous(probabilities, torch.zeros(1, 1, 2)).item() == pytest.approx(0.0, abs=1e-6)


def test_no_smoothing_at_all_is_finite() -> None:
    probabilities = torch.tensor([[1.0, 1.0], [0.0, 0.0]]).view(1, 2, 2).requires_grad_()
    loss = Dice(smooth=0.0)(probabilities, torch.zeros(1, 1, 2))
    loss.backward()
    assert loss.item() == pytest.approx(0.5)
    assert probabilities.grad is not None
    assert probabilities.grad.isfinite().all()


def test_mean_is_over_samples_not_over_voxels() -> None:
    probabilities, target = example()
    both = Dice()(torch.cat([probabilities, probabilities.flip(1)]), torch.cat([target, target]))
    one, other = Dice()(probabilities, target), Dice()(probabilities.flip(1), target)
    assert both.item() == pytest.approx((one.item() + other.item()) / 2)


def test_binary_output() -> None:
    probabilities = torch.tensor([0.9, 0.2]).view(1, 1, 2)
    loss = Dice(smooth=0.0)(probabilities, torch.tensor([3, 0]).view(1, 1, 2))
    assert loss.item() == pytest.approx(1 - 2 * 0.9 / 2.1, abs=1e-6)
