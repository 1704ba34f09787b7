"""v3's Focal loss, on probabilities."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch

from vesalia.components.losses.base import Loss, compared, log_smoothed
from vesalia.registry.kinds import NonNegative

__all__ = ["Focal", "focal_loss"]


class Focal(Loss):
    """``-t (1 - p)**gamma log(p + smooth)``, summed over classes, mean over samples and voxels.

    A model with one output channel is judged on both sides, with ``p**gamma`` for the background.

    Source: Lin et al., 2017, arXiv:1708.02002.

    Args:
        data_format: Without effect: losses see channels first.
        skip_background: Leave channel 0 out; background voxels then count as 0.
        gamma: How much voxels that are right already are left aside; 0 is cross entropy.
        smooth: Added to the probability, so that a probability of 0 has a finite loss and gradient.
        is_onehot_targets: The label has a channel per class already.
    """

    def __init__(
        self,
        *,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        skip_background: bool = False,
        gamma: NonNegative = 2.0,
        smooth: NonNegative = 1e-8,
        is_onehot_targets: bool = False,
    ) -> None:
        self.data_format = data_format
        self.skip_background = skip_background
        self.gamma = gamma
        self.smooth = smooth
        self.is_onehot_targets = is_onehot_targets

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        found, wanted = compared(
            probabilities, target, skip_background=self.skip_background, is_onehot=self.is_onehot_targets
        )
        binary = probabilities.shape[1] == 1
        return focal_loss(found, wanted, binary=binary, gamma=self.gamma, smooth=self.smooth)


def focal_loss(
    probabilities: torch.Tensor, targets: torch.Tensor, *, binary: bool, gamma: float = 2.0, smooth: float = 1e-8
) -> torch.Tensor:
    """The mean focal loss of float32 ``[B, C, ...]`` probabilities and targets; see :class:`Focal`."""
    focal = targets * _focal_term(probabilities, gamma=gamma, smooth=smooth)
    if binary:
        focal = focal + (1 - targets) * _focal_term(1 - probabilities, gamma=gamma, smooth=smooth)
    return focal.sum(dim=1).mean()


def _focal_term(probabilities: torch.Tensor, *, gamma: float, smooth: float) -> torch.Tensor:
    # Rounding can lift a probability above 1; a fractional power of a negative number is NaN. And the power's own
    # gradient at 0 is infinite for gamma below 1, so the distance stays above 0.
    away = (1 - probabilities).clamp_min(torch.finfo(torch.float32).eps)
    return -(away**gamma) * log_smoothed(probabilities, smooth)
