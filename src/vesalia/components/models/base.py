"""What a network is to the rest of Vesalia."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import abstractmethod
from typing import Literal, NamedTuple

import torch
from torch import nn

from vesalia.errors import ConfigError

__all__ = ["FinalActivation", "Model", "Trained", "activate", "trained"]

FinalActivation = Literal["softmax", "sigmoid", "linear"]


class Trained(NamedTuple):
    """What a network gives in training that adds something of its own to the loss.

    It is part of the output, not of the network's state, so that a network wrapped for several processes, or for fewer
    copies of its activations, loses nothing of it.

    Attributes:
        probabilities: The output.
        own_loss: A scalar that depends on this forward pass.
        deeper: Further outputs ``[B, num_classes, ...]`` that the loss judges as well (deep supervision), finest first;
            each on the grid of the output or on a coarser one.
        weights: Share of the loss of the output and of each deeper one; by default each counts half as much as the one
            before it, and all of them together 1.
    """

    probabilities: torch.Tensor
    own_loss: torch.Tensor
    deeper: tuple[torch.Tensor, ...] = ()
    weights: tuple[float, ...] = ()


def trained(output: torch.Tensor | Trained) -> Trained:
    """The output of a network in training, with a loss of 0 where it has none of its own."""
    return output if isinstance(output, Trained) else Trained(output, output.new_zeros(()))


def activate(logits: torch.Tensor, activation: FinalActivation) -> torch.Tensor:
    """Turn ``[B, C, ...]`` logits into float32 probabilities (unchanged for ``linear``)."""
    if activation == "softmax":
        return logits.float().softmax(dim=1)
    return logits.float().sigmoid() if activation == "sigmoid" else logits.float()


class Model(nn.Module):
    """A network that ends in probabilities, as v3's do.

    Attributes:
        num_classes: Channels of the output.
        in_channels: Channels of the input; the pipeline's ``output_image_channels``.
        final_activation: What turns logits into the output.
        size_divisor: Each spatial size must be a multiple of this; inferers pad to it.
        least_size: The smallest spatial size there may be.
        reg_weight: Weight of the L2 penalty on the weights, added to the loss; 0 for none.
    """

    size_divisor: int = 1
    least_size: int = 1

    def __init__(
        self, num_classes: int, *, in_channels: int, final_activation: FinalActivation, reg_weight: float = 0.0
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.final_activation: FinalActivation = final_activation
        self.reg_weight = reg_weight

    @abstractmethod
    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, H, W]`` to ``[B, num_classes, D, H, W]`` before the activation.

        A network that classifies whole images gives ``[B, num_classes]``.
        """

    def forward(self, image: torch.Tensor) -> torch.Tensor | Trained:
        """``[B, in_channels, D, H, W]`` to float32 probabilities ``[B, num_classes, D, H, W]``.

        A network with a loss of its own, such as an autoencoder's, or with outputs on several grids (deep supervision),
        gives :class:`Trained` in training mode, and probabilities alone in evaluation mode.
        """
        return activate(self.logits(image), self.final_activation)

    def check_size(self, image: torch.Tensor) -> None:
        """Refuse an image that the network cannot take.

        Raises:
            ConfigError: The channels are not ``in_channels``, or a spatial size is too small or no multiple of
                ``size_divisor``.
        """
        channels, *sizes = image.shape[1:]
        if channels != self.in_channels:
            message = (
                f"model: found an image with {channels} channels, expected {self.in_channels}; write "
                f"output_image_channels: {channels} in the image pipeline"
            )
            raise ConfigError(message)
        if any(size % self.size_divisor for size in sizes):
            fitting = [max(1, round(size / self.size_divisor)) * self.size_divisor for size in sizes]
            message = (
                f"model: found an image of {sizes} voxels, expected multiples of {self.size_divisor} along each axis; "
                f"write a crop size such as {fitting}"
            )
            raise ConfigError(message)
        if min(sizes) < self.least_size:
            message = f"model: found an image of {sizes} voxels, expected at least {self.least_size} along each axis"
            raise ConfigError(f"{message}; write a larger crop, or resample to a finer grid")

    def regularisation(self) -> torch.Tensor:
        """The model's own part of the loss: ``reg_weight`` times half the squared norm of its kernels."""
        if not self.reg_weight:
            return next(self.parameters()).new_zeros(())
        kernels = [weight for weight in self.parameters() if weight.ndim > 1]
        return self.reg_weight * torch.stack([kernel.square().sum() / 2 for kernel in kernels]).sum()
