"""The network as a training step calls it: one forward pass gives all that the loss needs of its weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
from torch import nn

from vesalia.components.models.base import Model, Trained, trained

__all__ = ["Trainee"]


class Trainee(nn.Module):
    """A network and its own part of the loss.

    Several processes exchange gradients while they are computed. For that the wrapper around this module must see every
    use of a weight, the one in the penalty on large weights included.

    Args:
        model: The network.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> Trained:
        """``[B, in_channels, D, H, W]`` to the network's output, with its regularisation in ``own_loss``."""
        output = trained(self.model(image))
        return output._replace(own_loss=output.own_loss + self.model.regularisation())
