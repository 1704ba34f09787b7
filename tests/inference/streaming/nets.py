"""Small networks, and how they are run window by window."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext
from typing import Literal

import torch

from vesalia.components.models.base import FinalActivation, Model
from vesalia.inference.streaming.network import Network

__all__ = ["CPU", "Kind", "Net", "network"]

CPU = torch.device("cpu")
Kind = Literal["pointwise", "narrow", "wide"]


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
        features: int = 4,
    ) -> None:
        super().__init__(classes, in_channels=1, final_activation=activation)
        layer = torch.nn.Conv3d if dims == 3 else torch.nn.Conv2d
        self.first = layer(1, features, 3, padding=1)
        size, padding = (1, 0) if pointwise else (3, 1)
        self.last = layer(features, classes, size, padding=padding, bias=bias)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """Before the activation."""
        result: torch.Tensor = self.last(self.first(image).relu())
        return result


def network(
    *, kind: Kind = "pointwise", activation: FinalActivation = "softmax", dims: int = 3, classes: int = 5
) -> Network:
    """One with the same weights every time; of a ``narrow`` one features are kept, not sums of its many classes."""
    torch.manual_seed(0)
    features = 1 if kind == "narrow" else 4
    model = Net(classes, dims=dims, pointwise=kind != "wide", activation=activation, features=features).eval()
    return Network(model, CPU, nullcontext)
