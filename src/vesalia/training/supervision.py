"""The loss of a network's output, and of its coarser outputs where it is supervised deeply."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
import torch.nn.functional as F

from vesalia.components.losses.base import Loss
from vesalia.components.models.base import Trained
from vesalia.errors import ConfigError

__all__ = ["supervised_loss"]


def supervised_loss(loss: Loss, output: Trained, *, target: torch.Tensor) -> torch.Tensor:
    """The loss of an output; with deeper outputs the weighted sum of the losses of all of them.

    A coarser output is compared with the label at the nearest voxels.

    Source: Lee et al., 2015, arXiv:1409.5185.

    Args:
        loss: The loss.
        output: What the network gave in training.
        target: The label ``[B, C, D, H, W]``.

    Raises:
        ConfigError: The network gives a different number of weights and outputs.
    """
    if not output.deeper:
        return loss(output.probabilities, target)
    outputs = (output.probabilities, *output.deeper)
    weights = output.weights or _halving(len(outputs))
    if len(weights) != len(outputs):
        message = f"model: found {len(weights)} weights of outputs, expected {len(outputs)}, one for each output"
        raise ConfigError(message)
    losses = [weight * loss(each, _on_grid_of(each, target)) for weight, each in zip(weights, outputs, strict=True)]
    return torch.stack(losses).sum()


def _halving(count: int) -> tuple[float, ...]:
    whole = 2 - 2.0 ** (1 - count)
    return tuple(2.0**-depth / whole for depth in range(count))


def _on_grid_of(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    if output.shape[2:] == target.shape[2:]:
        return target
    return F.interpolate(target.float(), size=output.shape[2:], mode="nearest-exact").to(target.dtype)
