"""v3's SegResnet: a residual encoder with a light decoder, in MONAI's implementation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch
from monai.networks.nets.segresnet import SegResNet
from torch import nn

from vesalia.components.models.autoencoder_branch import AutoencoderBranch
from vesalia.components.models.base import Model, Trained, activate
from vesalia.components.models.normalization import Normalization, clamped_groups
from vesalia.components.models.small_grids import apply_on_any_grid
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count, NonNegative, Probability, Widths

__all__ = ["SegResnet"]


class SegResnet(Model):
    """The segmentation network that won BraTS 2018, with its autoencoder branch if that is asked for.

    Sizes must be multiples of 2**(levels - 1), a level being an entry of ``blocks_down``.

    Source: Myronenko, 2018, arXiv:1810.11654.

    Args:
        num_classes: Channels of the output, background included.
        blocks_down: Residual blocks per level of the encoder.
        blocks_up: Residual blocks per level of the decoder; one entry less than ``blocks_down``.
        init_filters: Width of the first level; it doubles per level.
        use_batch_norm: Batch normalisation; wins over group normalisation.
        use_group_norm: Group normalisation.
        use_group_normG: Groups; clamped to a divisor of each level's width.
        reg_weight: Weight of the L2 penalty on the kernels.
        dropout_prob: Probability of dropping a feature after the first convolution.
        use_vae: The variational autoencoder branch: in training the network redraws its image as well, and how far it
            is off adds to the loss. Predictions take no more time.
        use_deep_supervision: The loss judges an output of each coarser level of the decoder as well, with half the
            weight per level. Predictions take no more time.
        final_activation: What turns logits into the output.
        data_format: Without effect: the network sees channels first.
        dtype: Without effect: ``use_amp`` decides the number format.
        data_dims: Spatial axes of the image.
        in_channels: Channels of the input; comes from the pipeline.

    Raises:
        ConfigError: ``blocks_up`` does not fit ``blocks_down``, or leaves no coarser level to supervise.
    """

    def __init__(
        self,
        num_classes: Count,
        *,
        blocks_down: Widths = (1, 2, 2, 4),
        blocks_up: Widths = (1, 1, 1),
        init_filters: Count = 8,
        use_batch_norm: bool = False,
        use_group_norm: bool = True,
        use_group_normG: Count = 8,  # noqa: N803 - v3's spelling
        reg_weight: NonNegative = 0.0,
        dropout_prob: Probability = 0.0,
        use_vae: bool = False,
        use_deep_supervision: bool = False,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        dtype: Literal["float32", "float16"] = "float32",
        data_dims: Literal[2, 3] = 3,
        in_channels: Count = 1,
    ) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=reg_weight)
        _check_blocks(blocks_down, blocks_up)
        self.size_divisor = 2 ** (len(blocks_down) - 1)
        norm = Normalization(use_batch_norm, use_group_norm, use_group_normG)
        self.network = SegResNet(
            spatial_dims=data_dims,
            init_filters=init_filters,
            in_channels=in_channels,
            out_channels=num_classes,
            dropout_prob=dropout_prob or None,
            norm=_monai_norm(norm),
            blocks_down=tuple(blocks_down),
            blocks_up=tuple(blocks_up),
        )
        for layer in self.network.modules():
            if isinstance(layer, nn.GroupNorm):
                layer.num_groups = clamped_groups(layer.num_channels, norm.groups)
        levels = len(blocks_down) - 1
        self.autoencoder = (
            AutoencoderBranch(init_filters << levels, levels, in_channels=in_channels, norm=norm, dims=data_dims)
            if use_vae
            else None
        )
        convolution = nn.Conv3d if data_dims == 3 else nn.Conv2d
        widths = [init_filters << level for level in range(levels - 1, 0, -1)] if use_deep_supervision else []
        if use_deep_supervision and not widths:
            message = "use_deep_supervision: found true with one entry in blocks_up, expected two or more; write false"
            raise ConfigError(message)
        self.coarse_heads = nn.ModuleList(convolution(width, num_classes, 1) for width in widths)

    def forward(self, image: torch.Tensor) -> torch.Tensor | Trained:
        """Probabilities; in training the autoencoder's loss and the outputs of coarser levels as well."""
        if not self.training or (self.autoencoder is None and not self.coarse_heads):
            return super().forward(image)
        self.check_size(image)
        skips = self._encode(image)
        own_loss = image.new_zeros(()) if self.autoencoder is None else self.autoencoder(skips[-1], image)
        coarse: list[torch.Tensor] = []
        probabilities = activate(self._decode(skips, coarse), self.final_activation)
        return Trained(probabilities, own_loss, tuple(activate(logits, self.final_activation) for logits in coarse))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, H, W]`` to ``[B, num_classes, D, H, W]`` before the activation.

        MONAI's own order of calls, level by level, so that the deepest levels can stay in float32.
        """
        self.check_size(image)
        return self._decode(self._encode(image))

    def _encode(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The features of each level, the deepest last."""
        network = self.network
        features = apply_on_any_grid(network.convInit, image)
        if network.dropout_prob is not None:
            features = network.dropout(features)
        levels = []
        for depth, down in enumerate(network.down_layers):
            features = apply_on_any_grid(down, features, stride=2 if depth else 1)
            levels.append(features)
        return levels

    def _decode(self, levels: list[torch.Tensor], coarse: list[torch.Tensor] | None = None) -> torch.Tensor:
        """``[B, num_classes, D, H, W]`` from the features of each level, which are let go on the way.

        Logits of the coarser levels are put into ``coarse``, the finest first.
        """
        network = self.network
        features = levels.pop()
        for depth, (rise, level) in enumerate(zip(network.up_samples, network.up_layers, strict=True)):
            features = apply_on_any_grid(rise, features) + levels.pop()
            features = apply_on_any_grid(level, features)
            if coarse is not None and depth < len(self.coarse_heads):
                coarse.insert(0, apply_on_any_grid(self.coarse_heads[depth], features))
        result: torch.Tensor = network.conv_final(features)
        return result


def _monai_norm(norm: Normalization) -> tuple[str, dict[str, int]] | str:
    """MONAI's words for it; one group for now, since MONAI takes one count for levels of different widths."""
    if norm.kind == "group":
        return "group", {"num_groups": 1}
    return ("batch", {}) if norm.kind == "batch" else ""


def _check_blocks(blocks_down: Widths, blocks_up: Widths) -> None:
    if len(blocks_up) != len(blocks_down) - 1:
        message = (
            f"blocks_up: found {len(blocks_up)} entries beside {len(blocks_down)} in blocks_down, expected one less "
            'than blocks_down has; write for example "1,1,1" for blocks_down "1,2,2,4"'
        )
        raise ConfigError(message)
