"""v3's DiceMaskedOutput aux op: mean Dice and Dice per class, classes that the label lacks left out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from vesalia.components.aux_ops.base import AuxOp, class_masks
from vesalia.errors import ConfigError
from vesalia.imaging.overlap import dice_of_masks, present_mean
from vesalia.registry.kinds import FieldNames

__all__ = ["DiceMaskedOutput"]


class DiceMaskedOutput(AuxOp):
    """Dice of the decided classes under one tag, or under one for the mean and one per class.

    Classes that an item's label lacks are left out of its mean; items without any class are left out of the
    batch's. A value with nothing left is NaN, which :class:`ComputeAverage` skips.

    Args:
        tags: The mean's name; then, if wanted, one name per class (per foreground class with ``skip_background``).
        is_onehot_targets: The label has a channel per class already.
        is_independent_predictions: Each channel stands for itself (above 0.5); otherwise the largest wins.
        skip_background: Leave channel 0 out.
        data_format: Without effect: auxiliary operations see channels first.
        do_summary: Whether TensorBoard gets the means over each epoch.
        do_print: Without effect: the console shows the loss, and none of these.

    Raises:
        ConfigError: No tag, or the same tag twice.
    """

    def __init__(
        self,
        tags: FieldNames,
        *,
        is_onehot_targets: bool = False,
        is_independent_predictions: bool = False,
        skip_background: bool = False,
        data_format: Literal["channels_first", "channels_last"] = "channels_first",
        do_summary: bool = True,
        do_print: bool = True,
    ) -> None:
        super().__init__(do_summary=do_summary, do_print=do_print)
        self._tags = _names(tags)
        if not self._tags or len(set(self._tags)) != len(self._tags):
            raise ConfigError(f'tags: found {list(self._tags)}, expected different names; write ["dice"]')
        self.is_onehot_targets = is_onehot_targets
        self.is_independent_predictions = is_independent_predictions
        self.skip_background = skip_background
        self.data_format = data_format

    def tags(self) -> tuple[str, ...]:
        """The mean's tag, then those of the classes."""
        return self._tags

    @torch.no_grad()
    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """The mean Dice, then Dice per class where there are tags for it.

        Raises:
            ConfigError: There are tags for another number of classes.
        """
        predicted, wanted = class_masks(
            probabilities,
            target,
            is_onehot_targets=self.is_onehot_targets,
            is_independent_predictions=self.is_independent_predictions,
            skip_background=self.skip_background,
        )
        scores = torch.stack([dice_of_masks(*pair) for pair in zip(predicted, wanted, strict=True)])
        classes = scores.shape[1]
        if len(self._tags) not in {1, classes + 1}:
            message = (
                f"tags: found {len(self._tags)}, expected 1 (the mean) or {classes + 1} (the mean and "
                f'{classes} classes); write ["{self._tags[0]}"] or a name for each'
            )
            raise ConfigError(message)
        values = [present_mean(present_mean(scores)), *present_mean(scores.T)]
        return {tag: value.float() for tag, value in zip(self._tags, values, strict=False)}


def _names(tags: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in (tags.split(",") if isinstance(tags, str) else tags))
