"""v3's ReducePoly policy: the learning rate falls to 0 by a power of what is left."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.registry.kinds import NonNegative

__all__ = ["ReducePoly"]


class ReducePoly(LearningRatePolicy):
    """``lr = initial (1 - fraction)**poly_power``.

    Args:
        poly_power: 1 is a straight line; 0.9 is what most segmentation papers take.
    """

    def __init__(self, *, poly_power: NonNegative) -> None:
        self.poly_power = poly_power

    def __call__(self, initial: float, progress: Progress) -> float:
        """The learning rate at ``progress``."""
        left = min(max(1.0 - progress.fraction, 0.0), 1.0)
        return initial * float(left**self.poly_power)
