"""NovoGrad: the conformance suite, v3's defaults, and the learning rate inside the momentum."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

from vesalia.components.optimizers.novograd import NovoGrad, NovoGradOptimizer
from vesalia.errors import ConfigError
from vesalia.testing.optimizers import OptimizerSuite


class TestNovoGrad(OptimizerSuite):
    def make(self) -> NovoGrad:
        return NovoGrad()


class TestNovoGradAveraging(OptimizerSuite):
    learning_rate = 0.3

    def make(self) -> NovoGrad:
        return NovoGrad(grad_averaging=True, weight_decay=1e-4)


def test_defaults_are_v3s() -> None:
    defaults = {name: item.default for name, item in inspect.signature(NovoGrad).parameters.items()}
    assert defaults == {
        "beta1": 0.95,
        "beta2": 0.98,
        "epsilon": 1e-8,
        "weight_decay": 0.0,
        "grad_averaging": False,
    }


def test_first_step_is_the_learning_rate_long() -> None:
    """The second moment starts at the first squared norm, so the first step is a unit vector times the rate."""
    weight = nn.Parameter(torch.zeros(4))
    optimizer = NovoGrad(epsilon=0.0)([weight], 0.1)
    weight.grad = torch.tensor([3.0, 0.0, -4.0, 0.0])
    optimizer.step()
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.06, 0.0, 0.08, 0.0]))


def test_learning_rate_works_inside_the_momentum() -> None:
    """After the rate went to 0 the momentum alone still moves the weight, falling by beta1."""
    weight = nn.Parameter(torch.zeros(1))
    optimizer = NovoGrad(beta1=0.5)([weight], 0.1)
    weight.grad = torch.ones(1)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.0
    optimizer.step()
    assert weight.item() == pytest.approx(-0.1 - 0.05)


def test_a_layer_without_gradient_yet_has_no_moments() -> None:
    first, second = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = NovoGradOptimizer([first, second], lr=0.1)
    first.grad = torch.ones(2)
    optimizer.step()
    assert set(optimizer.state) == {first}
    second.grad = torch.ones(2)
    optimizer.step()
    assert optimizer.state[second]["second_moment"].item() == pytest.approx(2.0)
    first.grad = second.grad = None
    optimizer.step()


def test_a_gradient_of_zero_is_no_reason_to_stop() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimizer = NovoGrad()([weight], 0.1)
    weight.grad = torch.zeros(2)
    optimizer.step()
    assert weight.tolist() == [1.0, 1.0]


def test_decay_of_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="beta1: found"):
        NovoGrad(beta1=1.0)
    with pytest.raises(ConfigError, match="beta2: found"):
        NovoGrad(beta2=1.0)
