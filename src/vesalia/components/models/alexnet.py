"""v3's Alexnet: a classification network of five convolutions and three dense layers, in 2D and 3D."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from vesalia.components.models.base import Model
from vesalia.components.models.convolution import convolution
from vesalia.components.models.normalization import Normalization
from vesalia.components.models.small_grids import apply_on_any_grid
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count, NonNegative, Probability, Widths

__all__ = ["Alexnet"]

_KERNELS = (11, 5, 3, 3, 3)
_FIRST_STRIDE = 4
_POOLED = (0, 1, 4)
"""Convolutions after which sizes are halved."""
_GRID = {2: 6, 3: 3}
"""Cells per axis that the dense layers see, by the number of axes."""
_SHRINKS = _FIRST_STRIDE * 2 ** len(_POOLED)


class Alexnet(Model):
    """AlexNet with the widths of OverFeat's fast model, for images of any size from 32 voxels along each axis.

    Five convolutions (11 voxels wide with stride 4, then 5, 3, 3, 3), each with normalisation and ReLU; maximum pooling
    after the first, second and fifth. The features are averaged to 6 x 6 cells (3 x 3 x 3 in 3D) for two dense layers
    with dropout and the output. With ``mil`` the dense layers judge each place of the image by itself, and the
    highest score of each class counts: one sick spot makes a sick image.

    Source: Krizhevsky et al., 2012, doi:10.1145/3065386; Sermanet et al., 2014, arXiv:1312.6229 (the widths).

    Args:
        num_classes: Outputs.
        num_feat: Widths of the five convolutions and the two dense layers.
        mil: Multiple-instance learning.
        use_batch_norm: Batch normalisation; wins over group normalisation.
        use_group_norm: Group normalisation.
        use_group_normG: Groups; clamped to a divisor of each width.
        reg_weight: Weight of the L2 penalty on the kernels.
        dropout_prob: Probability of dropping a feature before each dense layer.
        final_activation: What turns logits into the output; not given, it follows the loss.
        data_format: Without effect: the network sees channels first.
        dtype: Without effect: ``use_amp`` decides the number format.
        data_dims: Spatial axes of the image; comes from the pipeline.
        in_channels: Channels of the input; comes from the pipeline.

    Raises:
        ConfigError: ``num_feat`` does not have seven widths.
    """

    def __init__(
        self,
        num_classes: Count,
        *,
        num_feat: Widths = (96, 256, 512, 1024, 1024, 3072, 4096),
        mil: bool = False,
        use_batch_norm: bool = False,
        use_group_norm: bool = True,
        use_group_normG: Count = 8,  # noqa: N803 - v3's spelling
        reg_weight: NonNegative = 0.0,
        dropout_prob: Probability = 0.5,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        dtype: Literal["float32", "float16"] = "float32",
        data_dims: Literal[2, 3] = 2,
        in_channels: Count = 1,
    ) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=reg_weight)
        if len(num_feat) != len(_KERNELS) + 2:
            message = (
                f"num_feat: found {len(num_feat)} widths, expected 7 (five convolutions, two dense layers); write "
            )
            raise ConfigError(f'{message}"96,256,512,1024,1024,3072,4096"')
        self.least_size = _SHRINKS
        self.mil = mil
        norm = Normalization(use_batch_norm, use_group_norm, use_group_normG)
        *widths, dense, last = num_feat
        pool = nn.MaxPool3d if data_dims == 3 else nn.MaxPool2d
        self.features = nn.ModuleList()
        for index, (before, after) in enumerate(pairwise([in_channels, *widths])):
            stride = 1 if index else _FIRST_STRIDE
            size = _KERNELS[index]
            bias = norm.kind == "none"
            conv = convolution(before, after, dims=data_dims, kernel_size=size, stride=stride, bias=bias)
            layers = [conv, norm.layer(after, dims=data_dims), nn.ReLU()]
            self.features.append(nn.Sequential(*layers, *([pool(2)] if index in _POOLED else [])))
        adaptive = nn.AdaptiveAvgPool3d if data_dims == 3 else nn.AdaptiveAvgPool2d
        cells = 1 if mil else _GRID[data_dims]
        self.cells = nn.Identity() if mil else adaptive(cells)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout_prob),
            nn.Linear(widths[-1] * cells**data_dims, dense),
            nn.ReLU(),
            nn.Dropout(dropout_prob),
            nn.Linear(dense, last),
            nn.ReLU(),
            nn.Linear(last, num_classes),
        )

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, (D,) H, W]`` to ``[B, num_classes]`` before the activation."""
        self.check_size(image)
        features = image
        for index, block in enumerate(self.features):
            stride = (1 if index else _FIRST_STRIDE) * (2 if index in _POOLED else 1)
            features = apply_on_any_grid(block, features, stride=stride)
        cells: torch.Tensor = self.cells(features)
        if not self.mil:
            flat: torch.Tensor = self.classifier(cells.flatten(1))
            return flat
        scores: torch.Tensor = self.classifier(cells.flatten(2).transpose(1, 2))
        return scores.amax(dim=1)
