"""LearningRatePolicySuite fails policies that break one rule each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.testing.lr_policies import LearningRatePolicySuite


class Broken(LearningRatePolicy):
    """A policy of whatever it is given."""

    def __init__(self, rule: Callable[[float, Progress], float]) -> None:
        self.rule = rule

    def __call__(self, initial: float, progress: Progress) -> float:
        return self.rule(initial, progress)


def suite_of(rule: Callable[[float, Progress], float]) -> LearningRatePolicySuite:
    class Suite(LearningRatePolicySuite):
        def make(self) -> LearningRatePolicy:
            return Broken(rule)

    return Suite()


def test_each_broken_rule_is_found() -> None:
    with pytest.raises(AssertionError, match="found rates"):
        suite_of(lambda initial, progress: initial * (0.5 - progress.fraction)).test_is_a_rate_at_every_moment()
    with pytest.raises(AssertionError, match="found"):
        suite_of(lambda initial, progress: initial * (1 + progress.step)).test_never_rises()
    with pytest.raises(AssertionError, match="at the end"):
        suite_of(lambda initial, _progress: initial).test_never_rises()
    with pytest.raises(AssertionError, match="proportion"):
        suite_of(lambda _initial, progress: 1.0 - progress.fraction).test_scales_with_the_initial_rate()


def test_a_policy_with_a_memory_is_found() -> None:
    asked: list[Progress] = []

    def rule(initial: float, progress: Progress) -> float:
        asked.append(progress)
        return initial / len(asked)

    with pytest.raises(AssertionError, match="another order"):
        suite_of(rule).test_remembers_nothing()
