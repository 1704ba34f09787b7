"""The layers networks are made of: convolution, normalisation, activation; and the step up with a skip connection."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from vesalia.components.models.normalization import Normalization
from vesalia.components.models.small_grids import apply_on_any_grid

__all__ = ["ConvolutionBlock", "RisingBlock", "convolution", "kernel_over_repeated"]

_LEAK = 0.1


def convolution(
    in_channels: int, out_channels: int, *, dims: int, kernel_size: int = 3, stride: int = 1, bias: bool = True
) -> nn.Conv2d | nn.Conv3d:
    """A convolution over 2 or 3 spatial axes that keeps the size (divided by ``stride``)."""
    layer = nn.Conv3d if dims == 3 else nn.Conv2d
    return layer(in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=bias)


class ConvolutionBlock(nn.Module):
    """Convolution over 3 voxels per axis, normalisation, leaky ReLU (0.1).

    The convolution has a bias only where no normalisation follows, which would undo it.
    """

    def __init__(self, in_channels: int, out_channels: int, *, norm: Normalization, dims: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.conv = convolution(in_channels, out_channels, dims=dims, stride=stride, bias=norm.kind == "none")
        self.norm = norm.layer(out_channels, dims=dims)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, ...]`` to ``[B, out_channels, ...]``, each spatial size divided by the stride."""
        return apply_on_any_grid(self._layers, features, stride=self.stride)

    def _layers(self, features: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.norm(self.conv(features)), _LEAK)


class RisingBlock(nn.Module):
    """One level up: repeat each voxel twice per axis, join the skip connection, then a :class:`ConvolutionBlock`.

    The repeated features are never made. Convolution is linear, so the joined channels are convolved part by part;
    and a 3-wide kernel over voxels repeated twice meets only two different voxels per axis, which makes it a
    transposed convolution of stride 2 with a 4-wide kernel (see :func:`kernel_over_repeated`). The weights are those
    of the plain convolution, the result is the same but for rounding, and a training step of
    :class:`~vesalia.components.models.unet.Unet` takes about 0.6 of the time on a CPU.
    """

    def __init__(
        self, in_channels: int, skip_channels: int, out_channels: int, *, norm: Normalization, dims: int
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.conv = convolution(in_channels + skip_channels, out_channels, dims=dims, bias=norm.kind == "none")
        self.norm = norm.layer(out_channels, dims=dims)

    def forward(self, features: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, ...]`` and ``[B, skip_channels, 2D, ...]`` to ``[B, out_channels, 2D, ...]``."""
        return apply_on_any_grid(self._layers, features, skip)

    def _layers(self, features: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        weight = self.conv.weight
        kernel = kernel_over_repeated(weight[:, : self.in_channels])
        if features.ndim == 5:
            risen = F.conv_transpose3d(features, kernel, self.conv.bias, stride=2, padding=1)
            joined = risen + F.conv3d(skip, weight[:, self.in_channels :], padding=1)
        else:
            risen = F.conv_transpose2d(features, kernel, self.conv.bias, stride=2, padding=1)
            joined = risen + F.conv2d(skip, weight[:, self.in_channels :], padding=1)
        return F.leaky_relu(self.norm(joined), _LEAK)


def kernel_over_repeated(weight: torch.Tensor) -> torch.Tensor:
    """The kernel of the transposed convolution (stride 2, padding 1) that equals repeating and convolving.

    Along an axis, with taps a, b, c over repeated voxels ..., x, x, y, y, ...: the second x gets a x + b x + c y and
    the first y gets a x + b y + c y. So x reaches, in order, the last voxel before its pair with c, its pair with
    b + c and a + b, and the first voxel after it with a.

    Args:
        weight: ``[out, in, 3, 3, 3]`` (or ``[out, in, 3, 3]``), of a convolution with padding 1.

    Returns:
        ``[in, out, 4, 4, 4]`` (or ``[in, out, 4, 4]``).
    """
    for axis in range(2, weight.ndim):
        before, here, after = weight.unbind(axis)
        weight = torch.stack([after, here + after, before + here, before], dim=axis)
    return weight.transpose(0, 1)
