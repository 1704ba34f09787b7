"""v3's Momentum optimizer: gradient descent with momentum."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable

from torch import nn, optim

from vesalia.components.optimizers.base import OptimizerFactory, check_decay
from vesalia.registry.kinds import Probability

__all__ = ["Momentum"]


class Momentum(OptimizerFactory):
    """``m = momentum m + g``, ``w -= lr m``: PyTorch's SGD under v3's name.

    Args:
        momentum: Decay of the sum of gradients.
        use_nesterov: Look one step ahead (Nesterov's form).

    Raises:
        ConfigError: ``momentum`` is 1.
    """

    def __init__(self, *, momentum: Probability, use_nesterov: bool = False) -> None:
        check_decay(momentum=momentum)
        self.momentum = momentum
        # Without momentum Nesterov's form is plain gradient descent, and PyTorch refuses to name it.
        self.use_nesterov = use_nesterov and momentum > 0

    def __call__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> optim.Optimizer:
        """A gradient descent over ``parameters`` that starts at ``learning_rate``."""
        return optim.SGD(parameters, lr=learning_rate, momentum=self.momentum, nesterov=self.use_nesterov)
