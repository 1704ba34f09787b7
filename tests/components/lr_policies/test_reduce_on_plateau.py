"""ReduceOnPlateau: the conformance suite and the count of validations."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.components.lr_policies.base import Progress
from vesalia.components.lr_policies.reduce_on_plateau import ReduceOnPlateau
from vesalia.testing.lr_policies import LearningRatePolicySuite


class TestReduceOnPlateau(LearningRatePolicySuite):
    def make(self) -> ReduceOnPlateau:
        return ReduceOnPlateau(plateau_count_trigger=2, reduction_rate=0.5)


@pytest.mark.parametrize(("stall", "expected"), [(0, 1.0), (2, 1.0), (3, 0.5), (5, 0.5), (6, 0.25)])
def test_counts_validations_without_gain(stall: int, expected: float) -> None:
    policy = ReduceOnPlateau(plateau_count_trigger=3, reduction_rate=0.5)
    assert policy(1.0, Progress(0.9, 100, stall)) == expected


def test_a_gain_does_not_give_back_what_was_reduced() -> None:
    policy = ReduceOnPlateau(plateau_count_trigger=3, reduction_rate=0.5)
    assert policy(1.0, Progress(0.9, 100, 0, (4,))) == 0.5
    assert policy(1.0, Progress(0.9, 100, 3, (4, 2, 7))) == 0.5**4
