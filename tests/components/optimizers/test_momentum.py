"""Momentum: the conformance suite, and the update by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from vesalia.components.optimizers.momentum import Momentum
from vesalia.errors import ConfigError
from vesalia.testing.optimizers import OptimizerSuite


class TestMomentum(OptimizerSuite):
    def make(self) -> Momentum:
        return Momentum(momentum=0.9)


class TestMomentumNesterov(OptimizerSuite):
    def make(self) -> Momentum:
        return Momentum(momentum=0.9, use_nesterov=True)


class TestPlainDescent(OptimizerSuite):
    def make(self) -> Momentum:
        return Momentum(momentum=0.0, use_nesterov=True)


def test_by_hand() -> None:
    weight = nn.Parameter(torch.tensor(1.0))
    optimizer = Momentum(momentum=0.5)([weight], 0.1)
    for expected in (0.9, 0.75):  # gradients of 1: steps of 0.1, then of 0.1 x (1 + 0.5)
        weight.grad = torch.tensor(1.0)
        optimizer.step()
        assert weight.item() == pytest.approx(expected)


def test_momentum_of_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="momentum: found"):
        Momentum(momentum=1.0)
