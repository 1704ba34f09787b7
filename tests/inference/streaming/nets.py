"""Small networks, and how they are run window by window."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext
from typing import Literal

import torch

from vesalia.components.models.base import FinalActivation, Model
from vesalia.inference.streaming.network import Network

__all__ = ["CPU", "Net", "network"]

CPU = torch.device("cpu")


class Net(Model):
    """Two convolutions; the last one looks at one voxel or at its neighbours, too."""

    def __init__(
        self,
        classes: int = 5,
        *,
        dims: int = 3,
        pointwise: bool = True,
        activation: FinalActivation = "softmax",
        bias: bool = True,
    ) -> None:
        super().__init__(classes, in_channels=1, final_activation=activation)
        layer = torch.nn.Conv3d if dims == 3 else torch.nn.Conv2d
        self.first = layer(1, 4, 3, padding=1)
        self.last = layer(4, classes, 1, bias=bias) if pointwise else layer(4, classes, 3, padding=1, bias=bias)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Before the activation."""
        result: torch.Tensor = self.last(self.first(image).relu())
        return result


def network(
    *, kind: Literal["pointwise", "wide"] = "pointwise", activation: FinalActivation = "softmax", dims: int = 3
) -> Network:
    """One with the same weights every time."""
    torch.manual_seed(0)
    model = Net(dims=dims, pointwise=kind == "pointwise", activation=activation).eval()
    return Network(model, CPU, nullcontext)
