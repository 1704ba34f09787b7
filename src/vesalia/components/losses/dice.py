"""v3's Dice loss: one minus the overlap, per sample and class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch

from vesalia.components.losses.base import Loss, compared
from vesalia.registry.kinds import NonNegative

__all__ = ["Dice", "dice_loss"]


class Dice(Loss):
    """Soft Dice loss as v3 has it.

    Per sample and channel ``f = (2 I + top_smooth) / (sum(t) + sum(p) + smooth)`` with ``I = sum(t p)``; the loss
    is 1 minus the mean of f. A class that the label lacks has f = 0 (``top_smooth`` is 0), so it counts fully.

    Source: Milletari et al., V-Net, 2016, doi:10.1109/3DV.2016.79.

    Args:
        data_format: Without effect: losses see channels first.
        skip_background: Leave channel 0 out.
        squared_pred: Square targets and predictions in the denominator.
        jaccard: Take I off the denominator; the numerator keeps 2 I, as v3's does.
        smooth: Added to the denominator.
        top_smooth: Added to the numerator.
        is_onehot_targets: The label has a channel per class already.
    """

    def __init__(
        self,
        *,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        skip_background: bool = False,
        squared_pred: bool = False,
        jaccard: bool = False,
        smooth: NonNegative = 1e-5,
        top_smooth: NonNegative = 0.0,
        is_onehot_targets: bool = False,
    ) -> None:
        self.data_format = data_format
        self.skip_background = skip_background
        self.squared_pred = squared_pred
        self.jaccard = jaccard
        self.smooth = smooth
        self.top_smooth = top_smooth
        self.is_onehot_targets = is_onehot_targets

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        found, wanted = compared(
            probabilities, target, skip_background=self.skip_background, is_onehot=self.is_onehot_targets
        )
        return dice_loss(
            found,
            wanted,
            squared_pred=self.squared_pred,
            jaccard=self.jaccard,
            smooth=self.smooth,
            top_smooth=self.top_smooth,
        )


def dice_loss(
    probabilities: torch.Tensor,
    targets: torch.Tensor,
    *,
    squared_pred: bool = False,
    jaccard: bool = False,
    smooth: float = 1e-5,
    top_smooth: float = 0.0,
) -> torch.Tensor:
    """One minus the mean overlap of float32 ``[B, C, ...]`` probabilities and targets; see :class:`Dice`."""
    axes = tuple(range(2, probabilities.ndim))
    intersection = (probabilities * targets).sum(axes)
    if squared_pred:
        probabilities, targets = probabilities.square(), targets.square()
    union = probabilities.sum(axes) + targets.sum(axes)
    if jaccard:
        union = union - intersection
    # The tiny floor matters with smooth = 0 only: an empty class is then 0 / tiny = 0 instead of 0 / 0.
    overlap = (2 * intersection + top_smooth) / (union + smooth).clamp_min(torch.finfo(torch.float32).tiny)
    return 1 - overlap.mean()
