"""DecayOnStep: the conformance suite and the steps."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.components.lr_policies.base import Progress
from vesalia.components.lr_policies.decay_on_step import DecayOnStep
from vesalia.testing.lr_policies import LearningRatePolicySuite


class TestDecayOnStep(LearningRatePolicySuite):
    def make(self) -> DecayOnStep:
        return DecayOnStep(decay_ratio=0.5, decay_freq=20)


@pytest.mark.parametrize(("step", "expected"), [(0, 1.0), (9, 1.0), (10, 0.1), (19, 0.1), (20, 0.01)])
def test_counts_steps(step: int, expected: float) -> None:
    assert DecayOnStep(decay_ratio=0.1, decay_freq=10)(1.0, Progress(0.9, step)) == pytest.approx(expected)
