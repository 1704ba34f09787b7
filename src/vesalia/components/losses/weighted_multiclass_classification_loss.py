"""v3's WeightedMulticlassClassificationLoss: cross entropy per label, each class with a weight of its own."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.components.losses.base import Loss
from vesalia.components.losses.multiclass_classification_loss import channel_entropies
from vesalia.errors import ConfigError
from vesalia.imaging.label_heads import head_widths, require_comparable
from vesalia.registry.kinds import Widths

__all__ = ["WeightedMulticlassClassificationLoss"]


class WeightedMulticlassClassificationLoss(Loss):
    """``-w log p`` of the true class, mean over items and labels.

    The mean is over items, not over weights: an item of a class with weight 2 counts twice whatever else is in its
    batch. Without weights it is ``MulticlassClassificationLoss``.

    Args:
        class_weights: A weight per output channel, or one per class that is used for every label.
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.

    Raises:
        ConfigError: A weight is negative or not finite.
    """

    def __init__(self, *, class_weights: Sequence[float] | None = None, label_format: Widths | None = None) -> None:
        if class_weights is not None and not all(0 <= weight < float("inf") for weight in class_weights):
            raise ConfigError(
                f"class_weights: found {list(class_weights)}, expected numbers of 0 or more; write [1.0, 2.0]"
            )
        self.class_weights = None if class_weights is None else tuple(class_weights)
        self.label_format = label_format

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss of ``[B, C]`` probabilities and ``[B, labels]`` class numbers, a float32 scalar.

        Raises:
            ConfigError: Channels, labels and weights do not fit.
            DataError: Labels do not belong to the predictions.
        """
        require_comparable(probabilities, target)
        heads = head_widths(probabilities.shape[1], target.shape[1], label_format=self.label_format)
        entropies = channel_entropies(probabilities, target, heads=heads)
        weights = self._weights(heads).to(entropies.device).view(1, -1, *[1] * (entropies.ndim - 2))
        return (weights * entropies).sum(dim=1).mean() / len(heads)

    def _weights(self, heads: tuple[int, ...]) -> torch.Tensor:
        channels = sum(heads)
        given = self.class_weights or (1.0,) * channels
        if set(heads) == {len(given)}:
            given = given * len(heads)
        if len(given) != channels:
            message = (
                f"class_weights: found {len(given)} weights for {channels} output channels, expected one for each; "
                f"write {[1.0] * channels}"
            )
            raise ConfigError(message)
        return torch.tensor(given)
