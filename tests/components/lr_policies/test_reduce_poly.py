"""ReducePoly: the conformance suite and the curve."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.components.lr_policies.base import Progress
from vesalia.components.lr_policies.reduce_poly import ReducePoly
from vesalia.testing.lr_policies import LearningRatePolicySuite


class TestReducePoly(LearningRatePolicySuite):
    def make(self) -> ReducePoly:
        return ReducePoly(poly_power=0.9)


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 4.0), (0.5, 1.0), (1.0, 0.0), (1.01, 0.0), (-0.01, 4.0)])
def test_curve(fraction: float, expected: float) -> None:
    assert ReducePoly(poly_power=2)(4.0, Progress(fraction, 0)) == pytest.approx(expected)


def test_power_zero_is_constant() -> None:
    assert ReducePoly(poly_power=0)(4.0, Progress(1.0, 0)) == 4.0
