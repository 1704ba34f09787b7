"""What an inferer is: it brings an image of any size through a network made for one size."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from vesalia.components.models.base import Model

__all__ = ["Inferer"]


class Inferer(ABC):
    """Runs a network over a whole image."""

    @abstractmethod
    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        """``[B, C, D, H, W]`` image to ``[B, num_classes, D, H, W]`` float32 probabilities of the same spatial size."""
