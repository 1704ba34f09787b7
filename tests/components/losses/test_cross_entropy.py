"""CrossEntropy: the conformance suite, and its own arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.drawn import integers, uniform
from vesalia.components.losses.cross_entropy import CrossEntropy
from vesalia.testing.losses import LossSuite


class TestCrossEntropy(LossSuite):
    def make(self) -> CrossEntropy:
        return CrossEntropy()


class TestCrossEntropyWithoutBackground(LossSuite):
    def make(self) -> CrossEntropy:
        return CrossEntropy(skip_background=True)


def test_by_hand() -> None:
    probabilities = torch.tensor([[0.9, 0.2], [0.1, 0.8]]).view(1, 2, 2)
    target = torch.tensor([0, 1]).view(1, 1, 2)
    expected = -(math.log(0.9) + math.log(0.8)) / 2
    assert CrossEntropy()(probabilities, target).item() == pytest.approx(expected, abs=1e-6)
    alone = CrossEntropy(skip_background=True)(probabilities, target)
    assert alone.item() == pytest.approx(-math.log(0.8) / 2, abs=1e-6)


def test_smooth_bounds_the_loss() -> None:
    probabilities = torch.tensor([[1.0], [0.0]]).view(1, 2, 1)
    loss = CrossEntropy(smooth=1e-3)(probabilities, torch.ones(1, 1, 1))
    assert loss.item() == pytest.approx(-math.log(1e-3), abs=1e-5)


def test_binary_output_is_judged_on_both_sides() -> None:
    probabilities = torch.tensor([0.9, 0.2]).view(1, 1, 2)
    loss = CrossEntropy()(probabilities, torch.tensor([1, 0]).view(1, 1, 2))
    assert loss.item() == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2, abs=1e-6)


def test_onehot_targets() -> None:
    probabilities = uniform(2, 3, 4).softmax(1)
    target = integers(3, (2, 1, 4))
    onehot = torch.nn.functional.one_hot(target[:, 0], 3).movedim(-1, 1)
    loss = CrossEntropy(is_onehot_targets=True)(probabilities, onehot)
    torch.testing.assert_close(loss, CrossEntropy()(probabilities, target))
