"""Focal: the conformance suite, and its own arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.drawn import integers, uniform
from vesalia.components.losses.cross_entropy import CrossEntropy
from vesalia.components.losses.focal import Focal
from vesalia.testing.losses import LossSuite


class TestFocal(LossSuite):
    def make(self) -> Focal:
        return Focal()


class TestFocalWithoutBackground(LossSuite):
    def make(self) -> Focal:
        return Focal(skip_background=True)


def test_by_hand() -> None:
    probabilities = torch.tensor([[0.9, 0.2], [0.1, 0.8]]).view(1, 2, 2)
    target = torch.tensor([0, 1]).view(1, 1, 2)
    expected = -(0.1**2 * math.log(0.9) + 0.2**2 * math.log(0.8)) / 2
    assert Focal()(probabilities, target).item() == pytest.approx(expected, abs=1e-6)


def test_gamma_zero_is_cross_entropy() -> None:
    probabilities = uniform(2, 3, 4).softmax(1)
    target = integers(3, (2, 1, 4))
    torch.testing.assert_close(Focal(gamma=0.0)(probabilities, target), CrossEntropy()(probabilities, target))


def test_binary_output_is_judged_on_both_sides() -> None:
    probabilities = torch.tensor([0.9, 0.2]).view(1, 1, 2)
    loss = Focal()(probabilities, torch.tensor([1, 0]).view(1, 1, 2))
    expected = -(0.1**2 * math.log(0.9) + 0.2**2 * math.log(0.8)) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_certainty_has_a_finite_gradient(gamma: float) -> None:
    probabilities = torch.tensor([[1.0, 1.0 + 1e-7], [0.0, 0.0]]).view(1, 2, 2).requires_grad_()
    Focal(gamma=gamma)(probabilities, torch.tensor([0, 0]).view(1, 1, 2)).backward()
    assert probabilities.grad is not None
    assert probabilities.grad.isfinite().all()
