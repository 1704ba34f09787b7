"""v3's SegAhnet: an anisotropic hybrid network, in MONAI's implementation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from monai.networks.nets.ahnet import AHNet
from torch import nn

from vesalia.components.models.base import Model
from vesalia.components.models.convolution import convolution
from vesalia.components.models.small_grids import apply_on_any_grid
from vesalia.registry.kinds import Count, NonNegative

__all__ = ["PyramidPooling", "SegAhnet"]

_PLANES = {"z": -1, "y": -2, "x": -3}
"""The stored axis that crosses the plane, counted from the last."""
_PYRAMID = (8, 16, 32, 64)
_SHRINKS = 32


class SegAhnet(Model):
    """AH-Net: a residual encoder of flat kernels (3 x 3 x 1), a dense decoder of full ones.

    The flat kernels lie in the plane that ``plane`` crosses: with ``z`` in the first two stored axes, as slices of
    CT are. Sizes must be multiples of 32.

    Source: Liu et al., 2018, arXiv:1711.08580.

    Args:
        num_classes: Channels of the output, background included.
        if_use_psp: Pyramid pooling before the output, for features of the whole image.
        plane: The axis that slices are stacked along; no effect in 2D.
        pretrain_weight_name: Keras weights in v3; not read, and nothing is fetched (a warning says so).
        pretrain_weight_url: Where v3 fetched them from; nothing is fetched.
        reg_weight: Weight of the L2 penalty on the kernels.
        final_activation: What turns logits into the output.
        data_format: Without effect: the network sees channels first.
        dtype: Without effect: ``use_amp`` decides the number format.
        n_spatial_dim: Spatial axes of the image; comes from the pipeline where it is not given.
        in_channels: Channels of the input; comes from the pipeline.
    """

    size_divisor = _SHRINKS

    def __init__(
        self,
        num_classes: Count,
        *,
        if_use_psp: bool = False,
        plane: Literal["z", "y", "x"] = "z",
        pretrain_weight_name: str | None = None,
        pretrain_weight_url: str | None = None,
        reg_weight: NonNegative = 0.0,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        dtype: Literal["float32", "float16"] = "float32",
        n_spatial_dim: Literal[2, 3] = 2,
        in_channels: Count = 1,
    ) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=reg_weight)
        self.across = _PLANES[plane] if n_spatial_dim == 3 else -1
        pyramid = len(_PYRAMID) if if_use_psp else 0
        self.network = AHNet(
            spatial_dims=n_spatial_dim, in_channels=in_channels, out_channels=num_classes, psp_block_num=pyramid
        )
        if if_use_psp:
            joined = self.network.final.get_submodule("conv").get_parameter("weight").shape[1]
            self.network.add_module("psp", PyramidPooling(joined - pyramid, dims=n_spatial_dim))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, H, W]`` to ``[B, num_classes, D, H, W]`` before the activation."""
        self.check_size(image)
        turned = image.movedim(self.across, -1)
        return apply_on_any_grid(self.network, turned, stride=_SHRINKS).movedim(-1, self.across)


class PyramidPooling(nn.Module):
    """Maxima over 8, 16, 32 and 64 voxels in the plane, one channel each, brought back to the size they came from.

    MONAI's version needs images whose size is a multiple of 128; here a window that is larger than the image is the
    image.

    Args:
        channels: Channels of the features.
        dims: Spatial axes; the last of three is left alone.
    """

    def __init__(self, channels: int, *, dims: int) -> None:
        super().__init__()
        self.dims = dims
        self.projections = nn.ModuleList([convolution(channels, 1, dims=dims, kernel_size=1) for _ in _PYRAMID])

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """``[B, channels, ...]`` to ``[B, 4, ...]`` of the same size."""
        size = features.shape[2:]
        levels = []
        for edge, project in zip(_PYRAMID, self.projections, strict=True):
            window = [edge, edge] + [1] * (self.dims - 2)  # where it is larger, the one window there is is cut off
            pooled = (F.max_pool3d if self.dims == 3 else F.max_pool2d)(features, window, ceil_mode=True)
            levels.append(F.interpolate(project(pooled), size=size, mode="nearest"))
        return torch.cat(levels, dim=1)
