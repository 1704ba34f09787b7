"""Labels as one channel per class, for whatever compares them with predictions: losses and auxiliary operations."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.errors import ConfigError

__all__ = ["label_masks", "require_target_channels", "without_background"]


def require_target_channels(found: int, *, classes: int, is_onehot: bool) -> None:
    """Require that targets have a channel per class with ``is_onehot``, and one channel without it.

    Raises:
        ConfigError: They have another number of channels.
    """
    expected = classes if is_onehot else 1
    if found != expected:
        message = (
            f"is_onehot_targets: found {str(is_onehot).lower()} and targets with {found} channels, expected {expected}"
            f"; write is_onehot_targets: {str(not is_onehot).lower()}, or mend the label"
        )
        raise ConfigError(message)


def label_masks(labels: torch.Tensor, *, classes: int) -> torch.Tensor:
    """Which voxels belong to which class, as boolean ``[B, classes, ...]``.

    Args:
        labels: ``[B, 1, ...]`` class numbers; a number outside the classes belongs to none of them.
        classes: How many there are, background included; with 1 whatever is above 0 belongs to it.
    """
    if classes == 1:
        return labels > 0
    numbers = torch.arange(classes, device=labels.device, dtype=labels.dtype)
    return labels == numbers.view(1, classes, *[1] * (labels.ndim - 2))


def without_background(predicted: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both ``[B, C, ...]`` without channel 0.

    Raises:
        ConfigError: There is only one channel.
    """
    if predicted.shape[1] == 1:
        message = (
            "skip_background: found true for a model with one output channel, expected at least 2 channels; "
            "write skip_background: false"
        )
        raise ConfigError(message)
    return predicted[:, 1:], wanted[:, 1:]
