"""v3's ComputeDice aux op: the mean Dice of what the network sees."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Literal

import torch

from vesalia.components.aux_ops.base import AuxOp, class_masks
from vesalia.imaging.overlap import dice_of_masks
from vesalia.registry.kinds import FieldName

__all__ = ["ComputeDice"]


class ComputeDice(AuxOp):
    """Dice of the decided classes, mean over classes and items.

    A class that the label lacks counts 1 where nothing was predicted for it either, and 0 where something was.

    Args:
        tag: The value's name.
        is_onehot_targets: The label has a channel per class already.
        is_independent_predictions: Each channel stands for itself (above 0.5); otherwise the largest wins.
        skip_background: Leave channel 0 out.
        data_format: Without effect: auxiliary operations see channels first.
        do_summary: Whether TensorBoard gets the mean over each epoch.
        do_print: Without effect: the console shows the loss, and none of these.
    """

    def __init__(
        self,
        tag: FieldName,
        *,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
        skip_background: bool = False,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        super().__init__(do_summary=do_summary, do_print=do_print)
        self.tag = tag
        self.is_onehot_targets = is_onehot_targets
        self.is_independent_predictions = is_independent_predictions
        self.skip_background = skip_background
        self.data_format = data_format

    def tags(self) -> tuple[str, ...]:
        """The one tag."""
        return (self.tag,)

    @torch.no_grad()
    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """The mean Dice."""
        predicted, wanted = class_masks(
            probabilities,
            target,
            is_onehot_targets=self.is_onehot_targets,
            is_independent_predictions=self.is_independent_predictions,
            skip_background=self.skip_background,
        )
        scores = torch.stack([dice_of_masks(*pair) for pair in zip(predicted, wanted, strict=True)])
        silent = ~predicted.flatten(2).any(2)
        return {self.tag: torch.where(scores.isnan(), silent.double(), scores).mean().float()}
