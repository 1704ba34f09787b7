"""v3's ReduceCosine policy: the learning rate falls along half a cosine."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.registry.kinds import NonNegative

__all__ = ["ReduceCosine"]


class ReduceCosine(LearningRatePolicy):
    """``lr = initial rate (1 + cos(pi fraction))``.

    Source: Loshchilov and Hutter, SGDR, 2017, arXiv:1608.03983.

    Args:
        rate: 0.5 starts at the initial learning rate; 0.3, which some archives have, at 0.6 of it.
    """

    def __init__(self, *, rate: NonNegative = 0.5) -> None:
        self.rate = rate

    def __call__(self, initial: float, progress: Progress) -> float:
        """The learning rate at ``progress``."""
        done = min(max(progress.fraction, 0.0), 1.0)
        return initial * self.rate * (1 + math.cos(math.pi * done))
