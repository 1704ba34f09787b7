"""What an auxiliary operation is: an extra value computed from what the network sees, found by its tag."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch

from vesalia.imaging.class_channels import label_masks, require_target_channels, without_background

__all__ = ["AuxOp", "class_masks"]

_THRESHOLD = 0.5


class AuxOp(ABC):
    """Computes one or more tagged values in training and validation; metrics read them by tag.

    Attributes:
        do_summary: Whether TensorBoard gets the mean over each epoch.
        do_print: Without effect: the console shows the loss, and none of these.
        per_subject: Whether it gives fields of one subject, for metrics alone, in place of numbers of a step.
    """

    per_subject: ClassVar[bool] = False

    def __init__(self, *, do_summary: bool = True, do_print: bool = True) -> None:
        self.do_summary = do_summary
        self.do_print = do_print

    @abstractmethod
    def tags(self) -> tuple[str, ...]:
        """The names of the values."""

    @abstractmethod
    def __call__(
        self, *, probabilities: torch.Tensor, target: torch.Tensor, loss: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """A scalar per tag, from ``[B, C, ...]`` probabilities, ``[B, 1, ...]`` labels and the loss.

        With ``per_subject`` a field of the one subject that is given, in place of each scalar.
        """


def class_masks(
    probabilities: torch.Tensor,
    target: torch.Tensor,
    *,
    is_onehot_targets: bool,
    is_independent_predictions: bool,
    skip_background: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """What was predicted and what is true, as boolean ``[B, C, ...]`` masks.

    Args:
        probabilities: ``[B, C, ...]``.
        target: ``[B, 1, ...]`` labels, or ``[B, C, ...]`` with ``is_onehot_targets``. For one output channel a
            label above 0 counts as true.
        is_onehot_targets: The label has a channel per class already.
        is_independent_predictions: Each channel stands for itself (above 0.5); otherwise the largest wins.
        skip_background: Leave channel 0 out.

    Raises:
        ConfigError: There is only one channel to skip, or the label's channels do not fit.
    """
    classes = probabilities.shape[1]
    require_target_channels(target.shape[1], classes=classes, is_onehot=is_onehot_targets)
    if classes == 1 or is_independent_predictions:
        predicted = probabilities > _THRESHOLD
    else:
        predicted = label_masks(probabilities.argmax(dim=1, keepdim=True), classes=classes)
    wanted = target > 0 if is_onehot_targets else label_masks(target, classes=classes)
    return without_background(predicted, wanted) if skip_background else (predicted, wanted)
