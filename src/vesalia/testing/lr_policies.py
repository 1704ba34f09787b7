"""What every learning-rate policy must do: inherit :class:`LearningRatePolicySuite`, say how yours is made."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.testing.claims import claim

__all__ = ["LearningRatePolicySuite"]

_STEPS = 50


class LearningRatePolicySuite(ABC):
    """Tests of a policy over a whole training: what holds for every way of lowering a learning rate."""

    @abstractmethod
    def make(self) -> LearningRatePolicy:
        """The policy under test."""

    def training(self) -> list[Progress]:
        """A training of 50 steps that stops getting better after a third of its validations."""
        stalls = [max(0, step // 5 - 3) for step in range(_STEPS + 1)]
        return [Progress(step / _STEPS, step, stall) for step, stall in enumerate(stalls)]

    def test_is_a_rate_at_every_moment(self) -> None:
        """Finite and never negative, the very start and end included."""
        rates = [self.make()(1e-3, progress) for progress in self.training()]
        claim(all(math.isfinite(rate) and rate >= 0 for rate in rates), f"found rates of {rates}")

    def test_never_rises(self) -> None:
        """The rate falls or stays while the training goes on without gain."""
        rates = [self.make()(1e-3, progress) for progress in self.training()]
        claim(all(later <= earlier for earlier, later in itertools.pairwise(rates)), f"found {rates}")
        claim(rates[-1] < rates[0], f"found {rates[-1]} at the end, no less than at the start")

    def test_scales_with_the_initial_rate(self) -> None:
        """Twice the initial rate is twice the rate: ``learning_rate`` keeps its meaning."""
        policy = self.make()
        for progress in self.training():
            claim(
                math.isclose(2 * policy(1e-3, progress), policy(2e-3, progress)), f"found no proportion at {progress}"
            )

    def test_remembers_nothing(self) -> None:
        """Asked backwards, or by a training that was resumed, it says the same."""
        policy, training = self.make(), self.training()
        forwards = [policy(1e-3, progress) for progress in training]
        backwards = [policy(1e-3, progress) for progress in reversed(training)]
        claim(forwards == backwards[::-1], "found other rates in another order")
