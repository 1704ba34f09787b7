"""v3's BinaryClassificationLoss: binary cross entropy per label, on probabilities."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.components.losses.base import Loss, log_smoothed
from vesalia.errors import ConfigError
from vesalia.imaging.label_heads import require_comparable

__all__ = ["BinaryClassificationLoss"]


class BinaryClassificationLoss(Loss):
    """``-t log p - (1 - t) log(1 - p)``, mean over items and labels; each label is there or not for itself.

    For models that end in ``sigmoid``, with one output channel per label. Labels may be probabilities too.
    """

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of ``[B, labels]`` probabilities and labels, a float32 scalar.

        Raises:
            ConfigError: There is another number of channels than of labels.
            DataError: Labels do not belong to the predictions.
        """
        require_comparable(probabilities, target)
        if probabilities.shape[1] != target.shape[1]:
            message = (
                f"BinaryClassificationLoss: found {probabilities.shape[1]} output channels for {target.shape[1]} "
                "labels, expected one for each; write num_classes of the model as the number of labels, or "
                "MulticlassClassificationLoss for labels of several classes"
            )
            raise ConfigError(message)
        found, wanted = probabilities.float(), target.float()
        entropy = wanted * log_smoothed(found, 0) + (1 - wanted) * log_smoothed(1 - found, 0)
        return -entropy.mean()
