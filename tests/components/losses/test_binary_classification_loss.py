"""BinaryClassificationLoss: PyTorch's own cross entropy as the twin, certainty, and words for what does not fit."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.drawn import integers, uniform
from vesalia.components.losses.binary_classification_loss import BinaryClassificationLoss
from vesalia.errors import ConfigError, DataError


@pytest.mark.parametrize("labels", [1, 15])
def test_equals_torch(labels: int) -> None:
    logits, target = 6 * uniform(8, labels) - 3, integers(2, (8, labels))
    expected = F.binary_cross_entropy_with_logits(logits, target.float())
    assert abs(float(BinaryClassificationLoss()(logits.sigmoid(), target) - expected)) < 1e-6


def test_soft_labels() -> None:
    found, target = uniform(8, 3), uniform(8, 3)
    torch.testing.assert_close(BinaryClassificationLoss()(found, target), F.binary_cross_entropy(found, target))


def test_survives_certainty() -> None:
    logits = (1e4 * torch.tensor([[1.0, -1.0, 1.0, -1.0]])).requires_grad_()
    value = BinaryClassificationLoss()(logits.sigmoid(), torch.tensor([[1, 0, 0, 1]]))
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.isfinite()
    assert bool(gradient.isfinite().all())


def test_stays_in_float32() -> None:
    found = uniform(4, 2).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = BinaryClassificationLoss()(found, integers(2, (4, 2)).to(torch.uint8))
    assert value.dtype is torch.float32


def test_descends() -> None:
    logits, target = uniform(6, 4).requires_grad_(), integers(2, (6, 4))
    for _ in range(50):
        (gradient,) = torch.autograd.grad(BinaryClassificationLoss()(logits.sigmoid(), target), logits)
        logits = (logits - 5 * gradient).detach().requires_grad_()
    assert torch.equal((logits > 0).long(), target)


def test_another_number_of_labels() -> None:
    with pytest.raises(ConfigError, match="found 3 output channels for 1 labels, expected one for each"):
        BinaryClassificationLoss()(torch.rand(2, 3), torch.zeros(2, 1))


def test_label_maps_are_no_vectors() -> None:
    with pytest.raises(DataError, match="expected a vector of numbers per image"):
        BinaryClassificationLoss()(torch.rand(2, 1), torch.zeros(2, 1, 4, 4))
