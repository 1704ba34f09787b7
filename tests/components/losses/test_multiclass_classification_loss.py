"""MulticlassClassificationLoss: the conformance suite, PyTorch's cross entropy as the twin, several labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.drawn import integers, uniform
from vesalia.components.losses.multiclass_classification_loss import MulticlassClassificationLoss
from vesalia.errors import ConfigError
from vesalia.testing.losses import LossSuite


class TestMulticlassClassificationLoss(LossSuite):
    def make(self) -> MulticlassClassificationLoss:
        return MulticlassClassificationLoss()


def test_equals_torch_on_vectors() -> None:
    logits, target = 6 * uniform(8, 5) - 3, integers(5, (8, 1))
    expected = F.cross_entropy(logits, target[:, 0])
    assert abs(float(MulticlassClassificationLoss()(logits.softmax(1), target) - expected)) < 1e-6


def test_several_labels_are_judged_one_by_one() -> None:
    logits, target = 6 * uniform(8, 6) - 3, integers(3, (8, 2))
    expected = (F.cross_entropy(logits[:, :3], target[:, 0]) + F.cross_entropy(logits[:, 3:], target[:, 1])) / 2
    assert abs(float(MulticlassClassificationLoss()(logits.softmax(1), target) - expected)) < 1e-6


def test_a_binary_label_among_them_is_judged_on_both_sides() -> None:
    found, target = uniform(8, 4), torch.stack([integers(2, (8,)), integers(3, (8,))], dim=1)
    shares = found[:, 1:] / found[:, 1:].sum(1, keepdim=True)
    expected = F.binary_cross_entropy(found[:, 0], target[:, 0].float()) + F.nll_loss(shares.log(), target[:, 1])
    torch.testing.assert_close(MulticlassClassificationLoss(label_format=[1, 3])(found, target), expected / 2)


def test_channels_that_cannot_be_split() -> None:
    with pytest.raises(ConfigError, match="found 5 output channels for labels of 2 numbers"):
        MulticlassClassificationLoss()(torch.rand(1, 5), torch.zeros(1, 2))
