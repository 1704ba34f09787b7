"""v3's Unet: a light U-Net of strided convolutions, shaped like the one of VoxelMorph."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from vesalia.components.models.base import Model
from vesalia.components.models.convolution import ConvolutionBlock, RisingBlock, convolution
from vesalia.components.models.normalization import Normalization
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count, NonNegative, Probability, Widths

__all__ = ["Unet"]


class Unet(Model):
    """A U-Net with one convolution per level down, one per level up, and three more near full size.

    With n encoder widths (4 in v3's archives) the layers are::

        encoder    nf_enc[i]        stride 2, from 1 to 1/2**n of the size
        decoder    nf_dec[0]        at 1/2**n
                   nf_dec[1..n-1]   upsample, join the encoder's output of that size; up to 1/2
                   nf_dec[n]        one more at 1/2
                   nf_dec[n+1]      upsample, join the input image; full size
                   nf_dec[n+2]      one more at full size
        output     num_classes      1 x 1 x 1

    Each layer but the last is a convolution over 3 x 3 x 3 voxels, a normalisation and a leaky ReLU (0.1);
    upsampling repeats voxels. Sizes must be multiples of 2**n.

    Source: Balakrishnan et al., VoxelMorph, 2019, doi:10.1109/TMI.2019.2897538 (the registration network's shape).

    Args:
        num_classes: Channels of the output, background included.
        nf_enc: Widths of the encoder; one per level.
        nf_dec: Widths of the decoder; three more than the encoder has.
        use_batch_norm: Batch normalisation; wins over group normalisation.
        use_group_norm: Group normalisation.
        use_group_normG: Groups; clamped to a divisor of each width.
        reg_weight: Weight of the L2 penalty on the kernels.
        dropout: Probability of dropping a feature at the deepest level.
        final_activation: What turns logits into the output.
        data_format: Without effect: the network sees channels first.
        dtype: Without effect: ``use_amp`` decides the number format.
        data_dims: Spatial axes of the image.
        in_channels: Channels of the input; comes from the pipeline.

    Raises:
        ConfigError: ``nf_dec`` does not fit ``nf_enc``.
    """

    def __init__(
        self,
        num_classes: Count,
        *,
        nf_enc: Widths,
        nf_dec: Widths,
        use_batch_norm: bool = False,
        use_group_norm: bool = True,
        use_group_normG: Count = 8,  # noqa: N803 - v3's spelling
        reg_weight: NonNegative = 0.0,
        dropout: Probability = 0.0,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        dtype: Literal["float32", "float16"] = "float32",
        data_dims: Literal[2, 3] = 3,
        in_channels: Count = 1,
    ) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=reg_weight)
        _check_widths(nf_enc, nf_dec)
        self.size_divisor = 2 ** len(nf_enc)
        norm = Normalization(use_batch_norm, use_group_norm, use_group_normG)
        block = partial(ConvolutionBlock, norm=norm, dims=data_dims)
        rise = partial(RisingBlock, norm=norm, dims=data_dims)
        *rising, half, last, full = nf_dec[1:]
        self.encoder = nn.ModuleList([block(*pair, stride=2) for pair in pairwise([in_channels, *nf_enc])])
        self.dropout = nn.Dropout(dropout)
        self.bottom = block(nf_enc[-1], nf_dec[0])
        self.rises = nn.ModuleList(
            [
                rise(below, skip, width)
                for below, skip, width in zip(nf_dec, reversed(nf_enc[:-1]), rising, strict=False)
            ]
        )
        self.half_size = block(nf_dec[len(rising)], half)
        self.final_rise = rise(half, in_channels, last)
        self.full_size = block(last, full)
        self.output = convolution(full, num_classes, dims=data_dims, kernel_size=1)

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, H, W]`` to ``[B, num_classes, D, H, W]`` before the activation."""
        self.check_size(image)
        skips = []
        features = image
        for level in self.encoder:
            features = level(features)
            skips.append(features)
        skips.pop()
        features = self.bottom(self.dropout(features))
        for rise in self.rises:
            features = rise(features, skips.pop())
        features = self.final_rise(self.half_size(features), image)
        result: torch.Tensor = self.output(self.full_size(features))
        return result


def _check_widths(nf_enc: Widths, nf_dec: Widths) -> None:
    if nf_enc and len(nf_dec) == len(nf_enc) + 3:
        return
    message = (
        f"nf_dec: found {len(nf_dec)} widths beside {len(nf_enc)} in nf_enc, expected at least 1 in nf_enc and "
        'three more in nf_dec; write for example "16,32,32,32" for nf_enc and "32,32,32,32,32,16,16" for nf_dec'
    )
    raise ConfigError(message)
