"""Optimizers against twins: v3's updates in NumPy float64, and MONAI's NovoGrad."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch
from monai.optimizers.novograd import Novograd
from torch import nn

from vesalia.components.optimizers.adam import Adam
from vesalia.components.optimizers.base import OptimizerFactory
from vesalia.components.optimizers.momentum import Momentum
from vesalia.components.optimizers.novograd import NovoGrad

Array = npt.NDArray[np.float64]

SHAPES: list[tuple[int, ...]] = [(3, 4), (5,), ()]
RATES = [0.1, 0.1, 0.05, 0.02, 0.0, 0.1]


def arrays(seed: int) -> list[Array]:
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape) for shape in SHAPES]


def run(factory: OptimizerFactory, rates: list[float]) -> list[Array]:
    """Our optimizer in float64, with gradients that are known beforehand."""
    weights = [nn.Parameter(torch.tensor(array)) for array in arrays(0)]
    optimizer = factory(weights, rates[0])
    for step, rate in enumerate(rates):
        optimizer.param_groups[0]["lr"] = rate
        for weight, gradient in zip(weights, arrays(step + 1), strict=True):
            weight.grad = torch.tensor(gradient)
        optimizer.step()
    return [weight.detach().numpy() for weight in weights]


def assert_same(found: list[Array], expected: list[Array]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(("weight_decay", "averaging"), list(itertools.product([0.0, 0.1], [False, True])))
def test_novograd(weight_decay: float, averaging: bool) -> None:
    expected = arrays(0)
    momenta, moments = [np.zeros(shape) for shape in SHAPES], [0.0] * len(SHAPES)
    for step, rate in enumerate(RATES):
        for place, gradient in enumerate(arrays(step + 1)):
            square = float((gradient**2).sum())
            moments[place] = square if step == 0 else 0.98 * moments[place] + 0.02 * square
            entering = gradient / np.sqrt(moments[place] + 1e-8) + weight_decay * expected[place]
            momenta[place] = 0.95 * momenta[place] + rate * entering * (0.05 if averaging else 1.0)
            expected[place] = expected[place] - momenta[place]
    assert_same(run(NovoGrad(weight_decay=weight_decay, grad_averaging=averaging), RATES), expected)


def test_novograd_is_monais_at_a_constant_rate() -> None:
    """The rate inside or outside the momentum is the same as long as it does not change."""
    rates = [0.1] * 6
    weights = [nn.Parameter(torch.tensor(array)) for array in arrays(0)]
    twin = Novograd(weights, lr=0.1, betas=(0.95, 0.98), eps=1e-12, weight_decay=0.1)
    for step in range(len(rates)):
        for weight, gradient in zip(weights, arrays(step + 1), strict=True):
            weight.grad = torch.tensor(gradient)
        twin.step()
    expected = [weight.detach().numpy() for weight in weights]
    assert_same(run(NovoGrad(epsilon=1e-12, weight_decay=0.1), rates), expected)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(nesterov: bool) -> None:
    expected, sums = arrays(0), [np.zeros(shape) for shape in SHAPES]
    for step, rate in enumerate(RATES):
        for place, gradient in enumerate(arrays(step + 1)):
            sums[place] = 0.9 * sums[place] + gradient
            expected[place] = expected[place] - rate * (gradient + 0.9 * sums[place] if nesterov else sums[place])
    assert_same(run(Momentum(momentum=0.9, use_nesterov=nesterov), RATES), expected)


def test_adam() -> None:
    expected = arrays(0)
    means, squares = ([np.zeros(shape) for shape in SHAPES] for _ in range(2))
    for step, rate in enumerate(RATES):
        for place, gradient in enumerate(arrays(step + 1)):
            means[place] = 0.9 * means[place] + 0.1 * gradient
            squares[place] = 0.999 * squares[place] + 0.001 * gradient**2
            mean, square = means[place] / (1 - 0.9 ** (step + 1)), squares[place] / (1 - 0.999 ** (step + 1))
            expected[place] = expected[place] - rate * mean / (np.sqrt(square) + 1e-8)
    assert_same(run(Adam(), RATES), expected)
