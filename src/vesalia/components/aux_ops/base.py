"""What an auxiliary operation is: an extra value computed from what the network sees, found by its tag."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from vesalia.errors import ConfigError

__all__ = ["AuxOp", "class_masks"]

_THRESHOLD = 0.5


class AuxOp(ABC):
    """Computes one or more tagged values in training and validation; metrics read them by tag.

    Attributes:
        do_summary: Whether TensorBoard gets the values.
        do_print: Whether the console gets them.
    """

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
        """A scalar per tag, from ``[B, C, ...]`` probabilities, ``[B, 1, ...]`` labels and the loss."""


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
    if target.shape[1] != (classes if is_onehot_targets else 1):
        message = (
            f"is_onehot_targets: found {str(is_onehot_targets).lower()} and targets with {target.shape[1]} channels, "
            f"expected {classes if is_onehot_targets else 1}; write is_onehot_targets: "
            f"{str(not is_onehot_targets).lower()}, or mend the label"
        )
        raise ConfigError(message)
    numbers = torch.arange(classes, device=target.device).view(1, classes, *[1] * (target.ndim - 2))
    if classes == 1 or is_independent_predictions:
        predicted = probabilities > _THRESHOLD
    else:
        predicted = probabilities.argmax(dim=1, keepdim=True) == numbers
    wanted = target > 0 if classes == 1 or is_onehot_targets else target == numbers
    if not skip_background:
        return predicted, wanted
    if classes == 1:
        message = (
            "skip_background: found true for a model with one output channel, expected at least 2 channels; "
            "write skip_background: false"
        )
        raise ConfigError(message)
    return predicted[:, 1:], wanted[:, 1:]
