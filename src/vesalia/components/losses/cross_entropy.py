"""v3's CrossEntropy loss, on probabilities."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch

from vesalia.components.losses.base import Loss, compared, log_smoothed
from vesalia.registry.kinds import NonNegative

__all__ = ["CrossEntropy", "cross_entropy_loss"]


class CrossEntropy(Loss):
    """``-t log(p + smooth)``, summed over classes, mean over samples and voxels.

    A model with one output channel is judged on both sides: ``-t log(p + smooth) - (1 - t) log(1 - p + smooth)``.

    Args:
        data_format: Without effect: losses see channels first.
        skip_background: Leave channel 0 out; background voxels then count as 0.
        smooth: Added to the probability, so that a probability of 0 has a finite loss and gradient.
        is_onehot_targets: The label has a channel per class already.
    """

    def __init__(
        self,
        *,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        skip_background: bool = False,
        smooth: NonNegative = 1e-8,
        is_onehot_targets: bool = False,
    ) -> None:
        self.data_format = data_format
        self.skip_background = skip_background
        self.smooth = smooth
        self.is_onehot_targets = is_onehot_targets

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        found, wanted = compared(
            probabilities, target, skip_background=self.skip_background, is_onehot=self.is_onehot_targets
        )
        return cross_entropy_loss(found, wanted, binary=probabilities.shape[1] == 1, smooth=self.smooth)


def cross_entropy_loss(
    probabilities: torch.Tensor, targets: torch.Tensor, *, binary: bool, smooth: float = 1e-8
) -> torch.Tensor:
    """The mean cross entropy of float32 ``[B, C, ...]`` probabilities and targets; see :class:`CrossEntropy`."""
    entropy = -targets * log_smoothed(probabilities, smooth)
    if binary:
        entropy = entropy - (1 - targets) * log_smoothed(1 - probabilities, smooth)
    return entropy.sum(dim=1).mean()
