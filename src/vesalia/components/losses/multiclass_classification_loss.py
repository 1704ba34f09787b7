"""v3's MulticlassClassificationLoss: cross entropy per label, on probabilities."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.losses.base import Loss, log_smoothed
from vesalia.imaging.label_heads import Heads, head_widths, likelihoods, require_comparable, true_channels
from vesalia.registry.kinds import Widths

__all__ = ["MulticlassClassificationLoss", "channel_entropies"]


class MulticlassClassificationLoss(Loss):
    """``-log p`` of the true class, mean over items and labels.

    For models that end in ``softmax``. With several labels their channels lie behind each other, and each label's
    probabilities are those channels divided by their sum, which is the softmax over them. A binary label among
    them is judged on both sides.

    Args:
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.
    """

    def __init__(self, *, label_format: Widths | None = None) -> None:
        self.label_format = label_format

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of ``[B, C]`` probabilities and ``[B, labels]`` class numbers, a float32 scalar.

        Raises:
            ConfigError: Channels and labels do not fit.
            DataError: Labels do not belong to the predictions.
        """
        require_comparable(probabilities, target)
        heads = head_widths(probabilities.shape[1], target.shape[1], label_format=self.label_format)
        return channel_entropies(probabilities, target, heads=heads).sum(dim=1).mean() / len(heads)


def channel_entropies(probabilities: torch.Tensor, target: torch.Tensor, *, heads: Heads) -> torch.Tensor:
    """``[B, C, ...]`` float32: what each channel adds to the cross entropy of its label."""
    found, wanted = likelihoods(probabilities, heads), true_channels(target, heads)
    absent = torch.tensor([float(width == 1) for width in heads for _ in range(width)], device=found.device)
    other_side = absent.view(1, -1, *[1] * (found.ndim - 2)) * (1 - wanted) * log_smoothed(1 - found, 0)
    return -wanted * log_smoothed(found, 0) - other_side
