"""v3's Adam optimizer."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable

from torch import nn, optim

from vesalia.components.optimizers.base import OptimizerFactory, check_decay
from vesalia.registry.kinds import NonNegative, Probability

__all__ = ["Adam"]


class Adam(OptimizerFactory):
    """PyTorch's Adam under v3's names.

    Source: Kingma and Ba, 2015, arXiv:1412.6980.

    Args:
        beta1: Decay of the first moment.
        beta2: Decay of the second moment.
        epsilon: Added to the root of the second moment.

    Raises:
        ConfigError: A decay is 1.
    """

    def __init__(self, *, beta1: Probability = 0.9, beta2: Probability = 0.999, epsilon: NonNegative = 1e-8) -> None:
        check_decay(beta1=beta1, beta2=beta2)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def __call__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> optim.Optimizer:
        """An Adam over ``parameters`` that starts at ``learning_rate``."""
        return optim.Adam(parameters, lr=learning_rate, betas=(self.beta1, self.beta2), eps=self.epsilon)
