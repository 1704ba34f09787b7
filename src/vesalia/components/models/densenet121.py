"""v3's DenseNet121: a classification network, in MONAI's implementation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch
from monai.networks.nets.densenet import DenseNet121 as Network

from vesalia.components.models.base import Model
from vesalia.components.models.small_grids import apply_on_any_grid
from vesalia.registry.kinds import Count, NonNegative, Probability

__all__ = ["DenseNet121"]

_SHRINKS = 32
"""How much smaller the last features are than the image."""


class DenseNet121(Model):
    """DenseNet with 121 layers, in 2D and 3D, for images of any size from 32 voxels along each axis.

    Source: Huang et al., 2017, arXiv:1608.06993.

    Args:
        num_classes: Outputs.
        pretrain_weight_name: Keras weights in v3; not read, and nothing is fetched (a warning says so).
        pretrain_weight_url: Where v3 fetched them from; nothing is fetched.
        reg_weight: Weight of the L2 penalty on the kernels.
        weight_decay: The same, by another name; the larger of the two counts.
        dropout_prob: Probability of dropping a feature after each dense layer.
        final_activation: What turns logits into the output; not given, it follows the loss.
        data_format: Without effect: the network sees channels first.
        dtype: Without effect: ``use_amp`` decides the number format.
        data_dims: Spatial axes of the image; comes from the pipeline.
        in_channels: Channels of the input; comes from the pipeline.
    """

    def __init__(
        self,
        num_classes: Count,
        *,
        pretrain_weight_name: str | None = None,
        pretrain_weight_url: str | None = None,
        reg_weight: NonNegative = 0.0,
        weight_decay: NonNegative = 0.0,
        dropout_prob: Probability = 0.0,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        dtype: Literal["float32", "float16"] = "float32",
        data_dims: Literal[2, 3] = 2,
        in_channels: Count = 1,
    ) -> None:
        penalty = max(reg_weight, weight_decay)
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=penalty)
        self.least_size = _SHRINKS
        self.network = Network(
            spatial_dims=data_dims, in_channels=in_channels, out_channels=num_classes, dropout_prob=dropout_prob
        )

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, (D,) H, W]`` to ``[B, num_classes]`` before the activation."""
        self.check_size(image)
        return apply_on_any_grid(self.network, image, stride=_SHRINKS)
