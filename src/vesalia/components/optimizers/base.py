"""What an optimizer component is: arguments from the config, learning rate from the trainer."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from torch import nn, optim

from vesalia.errors import ConfigError

__all__ = ["OptimizerFactory", "check_decay"]


class OptimizerFactory(ABC):
    """Makes a :class:`torch.optim.Optimizer`; the learning rate never comes from ``args``, as in v3."""

    @abstractmethod
    def __call__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> optim.Optimizer:
        """An optimizer over ``parameters`` that starts at ``learning_rate``."""


def check_decay(**decays: float) -> None:
    """Refuse a decay that is not from 0 to below 1: the average would never move, or never end.

    Raises:
        ConfigError: Such a decay, by its name.
    """
    for name, decay in decays.items():
        if not 0 <= decay < 1:
            raise ConfigError(f"{name}: found {decay}, expected a number from 0 to below 1; write 0.9")
