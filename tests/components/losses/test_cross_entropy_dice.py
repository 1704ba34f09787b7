"""CrossEntropyDice: the conformance suite, and its own arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import integers, uniform
from vesalia.components.losses.cross_entropy import CrossEntropy
from vesalia.components.losses.cross_entropy_dice import CrossEntropyDice
from vesalia.components.losses.dice import Dice
from vesalia.testing.losses import LossSuite


class TestCrossEntropyDice(LossSuite):
    def make(self) -> CrossEntropyDice:
        return CrossEntropyDice()


class TestCrossEntropyDiceWithoutBackground(LossSuite):
    def make(self) -> CrossEntropyDice:
        return CrossEntropyDice(skip_background=True)


@pytest.mark.parametrize("skip_background", [False, True])
def test_is_the_sum(skip_background: bool) -> None:
    probabilities = uniform(2, 3, 4).softmax(1)
    target = integers(3, (2, 1, 4))
    parts = (
        CrossEntropy(skip_background=skip_background),
        Dice(skip_background=skip_background, squared_pred=True, jaccard=True, smooth=0.1, top_smooth=0.2),
    )
    whole = CrossEntropyDice(
        skip_background=skip_background, squared_pred=True, jaccard=True, smooth=0.1, top_smooth=0.2
    )
    expected = parts[0](probabilities, target) + parts[1](probabilities, target)
    torch.testing.assert_close(whole(probabilities, target), expected)


def test_onehot_targets_reach_both() -> None:
    probabilities = uniform(2, 3, 4).softmax(1)
    target = integers(3, (2, 1, 4))
    onehot = torch.nn.functional.one_hot(target[:, 0], 3).movedim(-1, 1)
    loss = CrossEntropyDice(is_onehot_targets=True)(probabilities, onehot)
    torch.testing.assert_close(loss, CrossEntropyDice()(probabilities, target))
