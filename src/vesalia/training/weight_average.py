"""A moving average of a network's weights, which often judges better than the weights themselves."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import nn

from vesalia.errors import CheckpointError

__all__ = ["WeightAverage", "wearing"]

_UPDATES = "updates"
"""Name under which a state keeps the number of updates; no tensor of a network is called so without a dot."""


class WeightAverage:
    """An exponential moving average of every floating-point tensor of a network, kept in float32.

    After each update ``average = d * average + (1 - d) * weights`` with ``d = min(decay, (1 + n) / (10 + n))`` at the
    n-th update, so that the first, untrained weights are soon forgotten. Whole numbers (counters of normalisations) are
    copied.

    Source: Polyak and Juditsky, 1992, doi:10.1137/0330046; the warm-up is that of TensorFlow's
    ``ExponentialMovingAverage``.

    Args:
        model: The network; its present weights are where the average begins.
        decay: Share of the average that an update keeps, 0 to 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._model = model
        self._begin()

    def _begin(self) -> None:
        self._updates = 0
        self._tensors = {name: _kept(tensor) for name, tensor in self._model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take the weights after an update of ``model`` in."""
        self._updates += 1
        weight = 1 - min(self.decay, (1 + self._updates) / (10 + self._updates))
        for name, tensor in model.state_dict().items():
            kept = self._tensors[name]
            if kept.is_floating_point():
                kept.lerp_(tensor.detach().to(kept.dtype), weight)
            else:
                kept.copy_(tensor)

    @contextlib.contextmanager
    def worn_by(self, model: nn.Module) -> Iterator[None]:
        """Have ``model`` hold the average inside the ``with`` block, and its own weights to the bit after it."""
        own = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        try:
            _copy(self._tensors, model)
            yield
        finally:
            _copy(own, model)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """What a resumed run needs."""
        return {_UPDATES: torch.tensor(self._updates), **self._tensors}

    @property
    def updates(self) -> int:
        """Updates that were taken in."""
        return self._updates

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on where :meth:`state_dict` left off; an empty state begins at the network's present weights.

        Raises:
            CheckpointError: It is the average of another network.
        """
        if not state:
            self._begin()
            return
        wrong = [name for name, kept in self._tensors.items() if name not in state or state[name].shape != kept.shape]
        if wrong or _UPDATES not in state:
            message = (
                f"resume: found the average of another network's weights ({wrong[0] if wrong else _UPDATES} differs), "
                "expected this config's; train without --resume"
            )
            raise CheckpointError(message)
        self._updates = int(state[_UPDATES])
        for name, kept in self._tensors.items():
            kept.copy_(state[name])


def wearing(average: WeightAverage | None, model: nn.Module) -> contextlib.AbstractContextManager[None]:
    """A context in which ``model`` holds the average, where there is one."""
    return contextlib.nullcontext() if average is None else average.worn_by(model)


def _kept(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to(torch.float32 if tensor.is_floating_point() else tensor.dtype, copy=True)


@torch.no_grad()
def _copy(tensors: Mapping[str, torch.Tensor], model: nn.Module) -> None:
    for name, tensor in model.state_dict().items():
        tensor.copy_(tensors[name])
