"""Any optimizer class of PyTorch or MONAI in the slot of an optimizer."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn, optim

from vesalia.components.optimizers.base import OptimizerFactory
from vesalia.errors import ConfigError
from vesalia.registry.library import construct, load_library

__all__ = ["LibraryOptimizer"]

_UNFIT = {"LBFGS": "computes the loss several times a step", "SparseAdam": "takes sparse gradients only"}


class LibraryOptimizer(OptimizerFactory):
    """A class of ``torch.optim`` or ``monai.optimizers``; a config names it by ``path``, with the class's arguments.

    ``{"path": "torch.optim.AdamW", "args": {"weight_decay": 0.01}}`` is read as this component. The learning rate is
    the config's.

    Args:
        path: Dotted path of the class.
        arguments: The class's arguments, without ``lr``.

    Raises:
        ConfigError: There is no such class, it takes other arguments, or it needs another kind of training.
    """

    def __init__(self, path: str, *, arguments: Mapping[str, Any] | None = None) -> None:
        found = load_library("optimizer", path)
        if not issubclass(found, optim.Optimizer) or found is optim.Optimizer:
            message = f'path: found "{path}", which is no optimizer, expected one'
            raise ConfigError(f'{message}; write for example "torch.optim.AdamW"')
        if found.__name__ in _UNFIT:
            reason = _UNFIT[found.__name__]
            raise ConfigError(f'path: found "{path}", which {reason}, expected another; write "torch.optim.AdamW"')
        self._made_of: Callable[..., optim.Optimizer] = found
        self.arguments = {name: value for name, value in (arguments or {}).items() if name != "lr"}
        trial = {"params": [nn.Parameter(torch.zeros(1))], "lr": 0.1, **self.arguments}
        construct(found, trial)  # constructors of optimizers judge their arguments

    def __call__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> optim.Optimizer:
        """The library's optimizer over ``parameters``, which starts at ``learning_rate``."""
        return self._made_of(parameters, lr=learning_rate, **self.arguments)
