"""WeightedMulticlassClassificationLoss: the suite, a plain twin, and words for weights that do not fit."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.drawn import integers, uniform
from vesalia.components.losses.multiclass_classification_loss import MulticlassClassificationLoss
from vesalia.components.losses.weighted_multiclass_classification_loss import WeightedMulticlassClassificationLoss
from vesalia.errors import ConfigError
from vesalia.testing.losses import LossSuite

WEIGHTS = [1.0, 3.0, 0.5]


class TestWeightedMulticlassClassificationLoss(LossSuite):
    def make(self) -> WeightedMulticlassClassificationLoss:
        return WeightedMulticlassClassificationLoss(class_weights=WEIGHTS)


def test_equals_the_weighted_mean_over_items() -> None:
    logits, target = uniform(9, 3), integers(3, (9, 1))
    each = F.cross_entropy(logits, target[:, 0], reduction="none")
    expected = (torch.tensor(WEIGHTS)[target[:, 0]] * each).mean()
    found = WeightedMulticlassClassificationLoss(class_weights=WEIGHTS)(logits.softmax(1), target)
    assert abs(float(found - expected)) < 1e-6


def test_without_weights_it_is_the_plain_loss() -> None:
    found, target = uniform(9, 3).softmax(1), integers(3, (9, 1))
    plain = MulticlassClassificationLoss()(found, target)
    torch.testing.assert_close(WeightedMulticlassClassificationLoss()(found, target), plain)


def test_weights_per_class_are_used_for_every_label() -> None:
    found, target = uniform(9, 6).softmax(1), integers(3, (9, 2))
    one, other = (WeightedMulticlassClassificationLoss(class_weights=weights) for weights in (WEIGHTS, WEIGHTS * 2))
    torch.testing.assert_close(one(found, target), other(found, target))


@pytest.mark.parametrize("weights", [[1.0, -1.0], [float("nan")], [float("inf")]])
def test_weights_that_mean_nothing(weights: list[float]) -> None:
    with pytest.raises(ConfigError, match="class_weights: found"):
        WeightedMulticlassClassificationLoss(class_weights=weights)


def test_weights_for_other_channels() -> None:
    loss = WeightedMulticlassClassificationLoss(class_weights=[1.0, 2.0])
    with pytest.raises(ConfigError, match="found 2 weights for 3 output channels"):
        loss(torch.rand(2, 3), torch.zeros(2, 1))
