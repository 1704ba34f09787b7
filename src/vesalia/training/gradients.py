"""From gradients to updates: gradients of several batches in one update, and a limit to their norm."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

__all__ = ["Gradients"]


@dataclass(slots=True, kw_only=True)
class Gradients:
    """Counts the batches of an update, weighs them, and limits the norm of what they add up to.

    Batches of an update count by their samples, so that an update is that of one large batch, as far as the loss is a
    mean over samples. With one batch per update and no limit nothing is computed, let alone changed.

    Attributes:
        batches_per_update: Batches whose gradients one update takes together; the last update of an epoch takes what
            is left.
        largest_norm: Gradients with a larger norm (all parameters together) are scaled down to it; None for no limit.
    """

    batches_per_update: int = 1
    largest_norm: float | None = None
    _batches: int = 0
    _first: int = 1
    _weight: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether no batch waits for its update: then a run can be stopped and gone on with."""
        return self._batches == 0

    def forget(self) -> None:
        """Begin afresh; what waits is left out."""
        self._batches, self._weight = 0, 0.0

    def take(self, samples: int) -> float:
        """Take note of a batch of ``samples`` samples (on all devices); returns what to multiply its loss by."""
        if self.complete:
            self._first, self._weight = max(samples, 1), 0.0
        share = samples / self._first
        self._batches += 1
        self._weight += share
        return share

    def due(self, *, epoch_ends: bool) -> bool:
        """Whether the update is to be done now."""
        return epoch_ends or self._batches >= self.batches_per_update

    def finish(self, parameters: Sequence[nn.Parameter]) -> float:
        """Bring the gradients of ``parameters`` to the mean over the update's samples, and limit their norm.

        Returns:
            The norm before the limit.
        """
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self._weight not in {0.0, 1.0}:
            torch._foreach_div_(gradients, self._weight)
        self.forget()
        norm = nn.utils.get_total_norm(gradients)
        if self.largest_norm is not None and math.isfinite(float(norm)):
            nn.utils.clip_grads_with_norm_(parameters, self.largest_norm, norm)
        return float(norm)
