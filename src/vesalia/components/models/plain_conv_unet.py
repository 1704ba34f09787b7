"""The plain U-Net of nnU-Net: strided convolutions down, transposed ones up, instance normalisation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from math import lcm, prod
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import nn

from vesalia.components.models.base import Model, Trained, activate
from vesalia.components.models.small_grids import apply_on_any_grid
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count, NonNegative, Widths

__all__ = ["PlainConvUnet"]

_LEAK = 0.01
_SizeByStage = Sequence[tuple[int, ...]]


class PlainConvUnet(Model):
    """A U-Net whose kernels and strides may differ by axis and stage, as nnU-Net plans it.

    Each stage of the encoder is a row of convolutions, the first of them strided; each stage of the decoder is a
    transposed convolution, the encoder's features of that size beside it, and a row of convolutions. Each convolution
    has a bias, an instance normalisation and a leaky ReLU (0.01) behind it.

    `vesalia import-weights` rebuilds nnU-Net's networks as this one.

    Source: Isensee et al., nnU-Net, 2021, doi:10.1038/s41592-020-01008-z.

    Args:
        num_classes: Channels of the output, background included.
        features_per_stage: Channels of each stage, the finest first.
        kernel_sizes: Sizes per stage and axis; 3 everywhere if not given.
        strides: Strides per stage and axis; 1 in the first stage and 2 in the others if not given.
        n_conv_per_stage: Convolutions per stage of the encoder; one number stands for all stages.
        n_conv_per_stage_decoder: The same of the decoder, which has one stage less; the deepest first.
        use_deep_supervision: The loss judges an output of each coarser stage of the decoder as well, with half the
            weight per stage. Predictions take no more time.
        final_activation: What turns logits into the output.
        reg_weight: Weight of the L2 penalty on the kernels.
        data_dims: Spatial axes of the image.
        in_channels: Channels of the input; comes from the pipeline.

    Raises:
        ConfigError: The arguments are of different numbers of stages or axes.
    """

    def __init__(
        self,
        num_classes: Count,
        *,
        features_per_stage: Widths = (32, 64, 128, 256, 320),
        kernel_sizes: Sequence[Sequence[int]] | None = None,
        strides: Sequence[Sequence[int]] | None = None,
        n_conv_per_stage: Widths = (2,),
        n_conv_per_stage_decoder: Widths = (2,),
        use_deep_supervision: bool = False,
        final_activation: Literal["softmax", "sigmoid", "linear"] = "softmax",
        reg_weight: NonNegative = 0.0,
        data_dims: Literal[2, 3] = 3,
        in_channels: Count = 1,
    ) -> None:
        super().__init__(num_classes, in_channels=in_channels, final_activation=final_activation, reg_weight=reg_weight)
        widths = tuple(features_per_stage)
        stages = len(widths)
        if stages < 2:
            message = f"features_per_stage: found {stages} stage, expected two or more; write [32, 64, 128, 256, 320]"
            raise ConfigError(message)
        kernels = _by_stage(kernel_sizes, "kernel_sizes", default=[3] * stages, dims=data_dims)
        steps = _by_stage(strides, "strides", default=[1] + [2] * (stages - 1), dims=data_dims)
        down = _counts(n_conv_per_stage, "n_conv_per_stage", stages)
        up = _counts(n_conv_per_stage_decoder, "n_conv_per_stage_decoder", stages - 1)
        shrinks = [prod(step[axis] for step in steps) for axis in range(data_dims)]
        self.size_divisor = lcm(*shrinks)
        # An instance normalisation needs more than one voxel.
        single = all(shrink == self.size_divisor for shrink in shrinks)
        self.least_size = self.size_divisor * (2 if single else 1)
        self.encoder = nn.ModuleList(
            _row(before, width, kernel, step, count)
            for before, width, kernel, step, count in zip(
                (in_channels, *widths), widths, kernels, steps, down, strict=False
            )
        )
        rising = range(stages - 2, -1, -1)
        self.rises = nn.ModuleList(_rise(widths[stage + 1], widths[stage], steps[stage + 1]) for stage in rising)
        unit = (1,) * data_dims
        self.decoder = nn.ModuleList(
            _row(2 * widths[stage], widths[stage], kernels[stage], unit, count)
            for stage, count in zip(rising, up, strict=True)
        )
        judged = rising if use_deep_supervision else rising[-1:]
        self.heads = nn.ModuleList(_convolution(widths[stage], num_classes, unit, unit) for stage in judged)

    def forward(self, image: torch.Tensor) -> torch.Tensor | Trained:
        """Probabilities; in training those of the coarser stages as well, with deep supervision."""
        if not self.training or len(self.heads) == 1:
            return super().forward(image)
        self.check_size(image)
        features = self._features(image)
        logits = [apply_on_any_grid(head, each) for head, each in zip(self.heads, features, strict=True)]
        finest, *coarser = [activate(each, self.final_activation) for each in reversed(logits)]
        return Trained(finest, image.new_zeros(()), tuple(coarser))

    def logits(self, image: torch.Tensor) -> torch.Tensor:
        """``[B, in_channels, D, H, W]`` to ``[B, num_classes, D, H, W]`` before the activation."""
        self.check_size(image)
        result: torch.Tensor = self.heads[-1](self._features(image)[-1])
        return result

    def _features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """What each stage of the decoder gives, the coarsest first; in evaluation only the last is kept."""
        skips, features = [], image
        for stage in self.encoder:
            features = stage(features)
            skips.append(features)
        skips.pop()
        found = []
        for rise, stage in zip(self.rises, self.decoder, strict=True):
            risen = apply_on_any_grid(rise, features)
            features = stage(torch.cat((risen, skips.pop()), 1))
            found.append(features)
            if not self.training:
                del found[:-1]
        return found


class _Block(nn.Module):
    """Convolution, instance normalisation, leaky ReLU."""

    def __init__(self, conv: nn.Conv2d | nn.Conv3d) -> None:
        super().__init__()
        self.conv = conv
        norm = nn.InstanceNorm3d if isinstance(conv, nn.Conv3d) else nn.InstanceNorm2d
        self.norm = norm(conv.out_channels, affine=True)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return apply_on_any_grid(self._layers, features, stride=max(self.conv.stride))

    def _layers(self, features: torch.Tensor) -> torch.Tensor:
        return F.leaky_relu(self.norm(self.conv(features)), _LEAK)


def _convolution(before: int, width: int, kernel: tuple[int, ...], stride: tuple[int, ...]) -> nn.Conv2d | nn.Conv3d:
    padding = tuple((size - 1) // 2 for size in kernel)
    layer: Any = nn.Conv3d if len(kernel) == 3 else nn.Conv2d
    made: nn.Conv2d | nn.Conv3d = layer(before, width, kernel, stride=stride, padding=padding)
    return made


def _row(before: int, width: int, kernel: tuple[int, ...], stride: tuple[int, ...], count: int) -> nn.Sequential:
    unit = (1,) * len(kernel)
    first = _Block(_convolution(before, width, kernel, stride))
    return nn.Sequential(first, *(_Block(_convolution(width, width, kernel, unit)) for _ in range(count - 1)))


def _rise(before: int, width: int, stride: tuple[int, ...]) -> nn.Module:
    layer: Any = nn.ConvTranspose3d if len(stride) == 3 else nn.ConvTranspose2d
    made: nn.Module = layer(before, width, stride, stride)
    return made


def _by_stage(given: Sequence[Sequence[int]] | None, name: str, *, default: Sequence[int], dims: int) -> _SizeByStage:
    sizes = [(size,) * dims for size in default] if given is None else [tuple(size) for size in given]
    odd = name == "kernel_sizes"
    fits = len(sizes) == len(default) and all(len(size) == dims for size in sizes)
    if not fits or any(size < 1 or (odd and size % 2 == 0) for stage in sizes for size in stage):
        expected = f"{len(default)} stages of {dims} {'odd ' if odd else ''}numbers of 1 or more"
        message = f"{name}: found {[list(size) for size in sizes]}, expected {expected}; write "
        raise ConfigError(message + str([[size] * dims for size in default]))
    return sizes


def _counts(given: Sequence[int], name: str, stages: int) -> tuple[int, ...]:
    counts = tuple(given) * stages if len(given) == 1 else tuple(given)
    if len(counts) != stages:
        message = f"{name}: found {len(counts)} numbers, expected {stages}, one per stage, or one for all; write [2]"
        raise ConfigError(message)
    return counts
