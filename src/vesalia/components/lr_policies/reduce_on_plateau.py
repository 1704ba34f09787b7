"""v3's ReduceOnPlateau policy: the learning rate falls when validations stop getting better."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.registry.kinds import Count, Positive

__all__ = ["ReduceOnPlateau"]


class ReduceOnPlateau(LearningRatePolicy):
    """The rate is multiplied by ``reduction_rate`` for every ``plateau_count_trigger`` validations without gain.

    Args:
        plateau_count_trigger: Validations in a row without a better key metric until a reduction; the count
            then starts anew.
        reduction_rate: What the rate is multiplied by.
    """

    def __init__(self, *, plateau_count_trigger: Count, reduction_rate: Positive) -> None:
        self.plateau_count_trigger = plateau_count_trigger
        self.reduction_rate = reduction_rate

    def __call__(self, initial: float, progress: Progress) -> float:
        """The learning rate at ``progress``."""
        stalls = (*progress.earlier_stalls, progress.validations_without_gain)
        reductions = sum(stall // self.plateau_count_trigger for stall in stalls)
        return initial * float(self.reduction_rate**reductions)
