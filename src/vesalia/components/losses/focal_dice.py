"""v3's FocalDice loss: the sum of the two."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch

from vesalia.components.losses.base import Loss
from vesalia.components.losses.dice import Dice
from vesalia.components.losses.focal import Focal
from vesalia.registry.kinds import NonNegative

__all__ = ["FocalDice"]


class FocalDice(Loss):
    """:class:`Focal` plus :class:`Dice`; each argument goes to the part or parts that know it.

    Args:
        data_format: Without effect: losses see channels first.
        skip_background: Leave channel 0 out of both parts.
        gamma: How much the focal part leaves aside voxels that are right already.
        squared_pred: Square targets and predictions in the denominator of Dice.
        jaccard: Take the intersection off the denominator of Dice.
        smooth: Added to the denominator of Dice; the focal part keeps its own 1e-8.
        top_smooth: Added to the numerator of Dice.
        is_onehot_targets: The label has a channel per class already.
    """

    def __init__(
        self,
        *,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        skip_background: bool = False,
        gamma: NonNegative = 2.0,
        squared_pred: bool = False,
        jaccard: bool = False,
        smooth: NonNegative = 1e-5,
        top_smooth: NonNegative = 0.0,
        is_onehot_targets: bool = False,
    ) -> None:
        self.focal = Focal(
            data_format=data_format, skip_background=skip_background, gamma=gamma, is_onehot_targets=is_onehot_targets
        )
        self.dice = Dice(
            data_format=data_format,
            skip_background=skip_background,
            squared_pred=squared_pred,
            jaccard=jaccard,
            smooth=smooth,
            top_smooth=top_smooth,
            is_onehot_targets=is_onehot_targets,
        )

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        return self.focal(probabilities, target) + self.dice(probabilities, target)
