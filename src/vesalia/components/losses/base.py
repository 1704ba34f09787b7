"""What a loss is: probabilities and labels in, one number out, always in float32."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from vesalia.errors import DataError
from vesalia.imaging.class_channels import label_masks, require_target_channels, without_background

__all__ = ["Loss", "compared", "log_smoothed", "require_same_grid", "targets_like"]


class Loss(ABC):
    """A loss over probabilities (models end in their activation, as v3's do)."""

    @abstractmethod
    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Compare ``[B, C, D, H, W]`` probabilities with a label map ``[B, 1, D, H, W]`` (or one-hot ``[B, C, ...]``).

        Returns:
            A float32 scalar; smaller is better.
        """


def require_same_grid(probabilities: torch.Tensor, target: torch.Tensor) -> None:
    """Require that a label ``[B, C, ...]`` has the prediction's shape but for the channels.

    Raises:
        DataError: It has not.
    """
    if probabilities.shape[2:] != target.shape[2:] or len(probabilities) != len(target):
        message = (
            f"label: found {list(target.shape)} ([B, C, ...]), expected the prediction's {list(probabilities.shape)} "
            "but for the channels; give image and label the same crops and resampling"
        )
        raise DataError(message)


def targets_like(probabilities: torch.Tensor, target: torch.Tensor, *, is_onehot: bool) -> torch.Tensor:
    """Targets as float32 ``[B, C, ...]``, one channel per class.

    A single-channel output with integer targets is read as binary: label above 0 against the rest. A label
    outside the classes belongs to none of them.

    Raises:
        ConfigError: One-hot targets whose channel count differs from the prediction's.
        DataError: Label and prediction differ in size.
    """
    classes = probabilities.shape[1]
    require_same_grid(probabilities, target)
    require_target_channels(target.shape[1], classes=classes, is_onehot=is_onehot)
    return target.float() if is_onehot else label_masks(target, classes=classes).float()


def compared(
    probabilities: torch.Tensor, target: torch.Tensor, *, skip_background: bool, is_onehot: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities and targets as float32 ``[B, C, ...]``, channel 0 left out with ``skip_background``.

    Raises:
        ConfigError: There is only one channel to skip, or the channels do not fit.
    """
    targets = targets_like(probabilities, target, is_onehot=is_onehot)
    probabilities = probabilities.float()
    return without_background(probabilities, targets) if skip_background else (probabilities, targets)


def log_smoothed(probabilities: torch.Tensor, smooth: float) -> torch.Tensor:
    """``log(p + smooth)``; finite, with a finite gradient, also for ``smooth`` = 0."""
    return (probabilities + smooth).clamp_min(torch.finfo(torch.float32).tiny).log()
