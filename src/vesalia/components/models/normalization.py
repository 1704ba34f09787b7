"""Which normalisation follows a convolution: batch, group or none, by v3's three arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["Normalization", "allow_single_values", "clamped_groups"]


def clamped_groups(channels: int, groups: int) -> int:
    """The largest number of groups, at most ``groups``, that divides ``channels``.

    v3 archives ask for 8 groups on networks of 2 or 4 filters; group normalisation needs a divisor.
    """
    return next(count for count in range(min(channels, groups), 0, -1) if channels % count == 0)


@dataclass(frozen=True, slots=True)
class Normalization:
    """What v3 says with ``use_batch_norm``, ``use_group_norm`` and ``use_group_normG``.

    Batch normalisation wins where both are asked for: group normalisation is v3's default, so a config that
    names ``use_batch_norm`` alone means it.

    Attributes:
        use_batch_norm: Normalise each channel over the batch.
        use_group_norm: Normalise groups of channels within each item (Wu and He, 2018, arXiv:1803.08494).
        groups: Groups asked for; clamped to a divisor of the channel count.
    """

    use_batch_norm: bool
    use_group_norm: bool
    groups: int

    @property
    def kind(self) -> Literal["batch", "group", "none"]:
        """What applies."""
        if self.use_batch_norm:
            return "batch"
        return "group" if self.use_group_norm else "none"

    def layer(self, channels: int, *, dims: int) -> nn.Module:
        """The layer for ``[B, channels, ...]`` with ``dims`` spatial axes; an identity for none."""
        if self.kind == "batch":
            return nn.BatchNorm3d(channels) if dims == 3 else nn.BatchNorm2d(channels)
        if self.kind == "group":
            return _GroupNorm(clamped_groups(channels, self.groups), channels)
        return nn.Identity()


class _GroupNorm(nn.GroupNorm):
    """Takes groups of a single value too, which become 0 before the shift; PyTorch's own refuses them in training.

    A narrow network whose deepest level is one voxel has such groups.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  PyTorch's name
        return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


def allow_single_values(network: nn.Module) -> None:
    """Let batch normalisation take one value per channel, which becomes 0 before the shift; PyTorch's own stops there.

    The last batch of an epoch may be a single crop whose deepest level is one voxel. TensorFlow, and so v3, goes on.
    """
    for module in network.modules():
        if type(module) in _SINGLE_VALUES:
            module.__class__ = _SINGLE_VALUES[type(module)]


def _normalized(layer: _BatchNorm, features: torch.Tensor) -> torch.Tensor:
    """Of one value per channel: one value says nothing of a spread, so what is kept of mean and spread stays."""
    centred = features - features  # 0, with a gradient of 0 for what came before
    if not layer.affine:
        return centred
    shape = (1, -1, *[1] * (features.ndim - 2))
    return (centred * layer.weight.view(shape) + layer.bias.view(shape)).to(features.dtype)


def _is_single(layer: _BatchNorm, features: torch.Tensor) -> bool:
    return layer.training and features.numel() == features.shape[1] == layer.num_features


class _BatchNorm1d(nn.BatchNorm1d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  PyTorch's name
        return _normalized(self, input) if _is_single(self, input) else super().forward(input)


class _BatchNorm2d(nn.BatchNorm2d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  PyTorch's name
        return _normalized(self, input) if _is_single(self, input) else super().forward(input)


class _BatchNorm3d(nn.BatchNorm3d):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  PyTorch's name
        return _normalized(self, input) if _is_single(self, input) else super().forward(input)


_SINGLE_VALUES: dict[type[nn.Module], type[nn.Module]] = {
    nn.BatchNorm1d: _BatchNorm1d,
    nn.BatchNorm2d: _BatchNorm2d,
    nn.BatchNorm3d: _BatchNorm3d,
}
