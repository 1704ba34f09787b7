"""A network in PyTorch: two convolutions, and one that decides."""

from __future__ import annotations

import torch
from torch import nn

from vesalia.components.models.base import Model
from vesalia.registry.kinds import Count


class SmallNet(Model):
    """Sees 5 voxels in each direction.

    Args:
        num_classes: Channels of the output.
        in_channels: Channels of the input; the image pipeline says how many.
        width: Channels in between.
    """

    def __init__(self, num_classes: Count, *, in_channels: int, width: Count = 8) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation="softmax")
        self.layers = nn.Sequential(
            nn.Conv3d(in_channels, width, 5, padding=2),
            nn.ReLU(),
            nn.Conv3d(width, width, 5, padding=2),
            nn.ReLU(),
            nn.Conv3d(width, num_classes, 1),
        )

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, H, W]`` to ``[B, num_classes, D, H, W]``."""
        self.check_size(image)
        return self.layers(image)
