"""The variational autoencoder beside SegResnet's decoder: it redraws the image, and so teaches the encoder."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise
from math import prod

import torch
import torch.nn.functional as F
from torch import nn

from vesalia.components.models.convolution import ConvolutionBlock, convolution
from vesalia.components.models.normalization import Normalization
from vesalia.components.models.small_grids import apply_on_any_grid

__all__ = ["AutoencoderBranch"]

_SQUEEZED = 16
_CELLS = 4
"""Cells per axis in front of the latent numbers, whatever the size of the image."""
_LATENT = 128
_WEIGHT = 0.1
"""Weight of the redrawn image and of the latent numbers in the loss, as in the paper."""
_LARGEST_LOG = 20.0


class AutoencoderBranch(nn.Module):
    """From the deepest features to 128 normally distributed numbers, and from those back to the image.

    The paper's branch fits one image size; here the features are averaged to 4 cells per axis in front of the latent
    numbers and spread out again behind them, so that any size will do.

    Source: Myronenko, 2018, arXiv:1810.11654.

    Args:
        width: Channels of the deepest features.
        levels: How many times the image was halved up to there.
        in_channels: Channels of the image.
        norm: The normalisation.
        dims: Spatial axes.
    """

    def __init__(self, width: int, levels: int, *, in_channels: int, norm: Normalization, dims: int) -> None:
        super().__init__()
        self.squeeze = ConvolutionBlock(width, _SQUEEZED, norm=norm, dims=dims, stride=2)
        self.encode = nn.Linear(_SQUEEZED * _CELLS**dims, 2 * _LATENT)
        self.decode = nn.Linear(_LATENT, _SQUEEZED * _CELLS**dims)
        self.spread = ConvolutionBlock(_SQUEEZED, width, norm=norm, dims=dims)
        widths = [max(1, width >> level) for level in range(levels + 1)]
        self.rises = nn.ModuleList([ConvolutionBlock(*pair, norm=norm, dims=dims) for pair in pairwise(widths)])
        self.output = convolution(widths[-1], in_channels, dims=dims, kernel_size=1)

    def forward(self, deepest: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
        """The branch's part of the loss: how far the redrawn image and the latent numbers are off.

        Args:
            deepest: ``[B, width, ...]``, what the encoder makes of the image.
            image: ``[B, in_channels, ...]``.
        """
        squeezed = self.squeeze(deepest)
        pool = F.adaptive_avg_pool3d if squeezed.ndim == 5 else F.adaptive_avg_pool2d
        mean, log_variance = self.encode(pool(squeezed, _CELLS).flatten(1)).float().chunk(2, dim=1)
        log_variance = log_variance.clamp(-_LARGEST_LOG, _LARGEST_LOG)
        dice = torch.randn_like(mean)  # torch's generator, as dropout: the trainer seeds it for each step
        drawn = self._redraw(mean + dice * (log_variance / 2).exp(), deepest)
        divergence = (mean.square() + log_variance.exp() - log_variance - 1).sum(dim=1) / prod(image.shape[2:])
        loss: torch.Tensor = _WEIGHT * (F.mse_loss(drawn.float(), image.float()) + divergence.mean())
        return loss

    def _redraw(self, latent: torch.Tensor, deepest: torch.Tensor) -> torch.Tensor:
        """``[B, 128]`` to an image."""
        cells = self.decode(latent).relu().reshape(-1, _SQUEEZED, *[_CELLS] * (deepest.ndim - 2))
        features = self.spread(F.interpolate(cells, size=deepest.shape[2:], mode="nearest"))
        for rise in self.rises:
            features = rise(F.interpolate(features, scale_factor=2.0, mode="nearest"))
        return apply_on_any_grid(self.output, features)
