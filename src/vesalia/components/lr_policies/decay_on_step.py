"""v3's DecayOnStep policy: the learning rate falls by a ratio every so many steps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.registry.kinds import Count, Positive

__all__ = ["DecayOnStep"]


class DecayOnStep(LearningRatePolicy):
    """``lr = initial decay_ratio**(step // decay_freq)``.

    Args:
        decay_ratio: What the rate is multiplied by.
        decay_freq: Training steps (not epochs) from one decay to the next.
    """

    def __init__(self, *, decay_ratio: Positive, decay_freq: Count) -> None:
        self.decay_ratio = decay_ratio
        self.decay_freq = decay_freq

    def __call__(self, initial: float, progress: Progress) -> float:
        """The learning rate at ``progress``."""
        return initial * float(self.decay_ratio ** (progress.step // self.decay_freq))
