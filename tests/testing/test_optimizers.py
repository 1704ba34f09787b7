"""OptimizerSuite fails optimizers that break one rule each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import nn, optim

from vesalia.components.optimizers.base import OptimizerFactory
from vesalia.testing.optimizers import OptimizerSuite


class Broken(OptimizerFactory):
    """A factory of whatever it is given."""

    def __init__(self, make: Callable[[list[nn.Parameter], float], optim.Optimizer]) -> None:
        self.make = make

    def __call__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> optim.Optimizer:
        return self.make(list(parameters), learning_rate)


class Restless(optim.SGD):
    """Moves every weight, by dice, and keeps what it does to itself."""

    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            for group in self.param_groups:
                for weight in group["params"]:
                    weight.add_(torch.randn(()))
        return closure


def suite_of(make: Callable[[list[nn.Parameter], float], optim.Optimizer]) -> OptimizerSuite:
    class Suite(OptimizerSuite):
        def make(self) -> OptimizerFactory:
            return Broken(make)

    return Suite()


def test_an_optimizer_that_climbs() -> None:
    with pytest.raises(AssertionError, match="after 400 steps"):
        suite_of(lambda weights, rate: optim.SGD(weights, lr=rate / 10, maximize=True)).test_finds_the_lowest_point()


def test_an_optimizer_with_dice() -> None:
    suite = suite_of(lambda weights, rate: Restless(weights, lr=rate))
    with pytest.raises(AssertionError, match="without gradient"):
        suite.test_leaves_weights_without_gradient_alone()
    with pytest.raises(AssertionError, match="two results"):
        suite.test_is_the_same_every_time()
    with pytest.raises(AssertionError, match="another path"):
        suite.test_goes_on_from_its_state()
    with pytest.raises(AssertionError, match="moved at a learning rate of 0"):
        suite.test_starts_at_the_trainers_learning_rate()
    with pytest.raises(AssertionError, match="closure"):
        suite.test_takes_a_closure()


def test_an_optimizer_with_a_rate_of_its_own() -> None:
    with pytest.raises(AssertionError, match="another learning rate"):
        suite_of(lambda weights, _rate: optim.SGD(weights, lr=0.1)).test_starts_at_the_trainers_learning_rate()
