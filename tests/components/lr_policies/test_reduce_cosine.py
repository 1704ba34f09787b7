"""ReduceCosine: the conformance suite and the curve."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.components.lr_policies.base import Progress
from vesalia.components.lr_policies.reduce_cosine import ReduceCosine
from vesalia.testing.lr_policies import LearningRatePolicySuite


class TestReduceCosine(LearningRatePolicySuite):
    def make(self) -> ReduceCosine:
        return ReduceCosine()


@pytest.mark.parametrize(("fraction", "expected"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0), (1.2, 0.0)])
def test_curve(fraction: float, expected: float) -> None:
    assert ReduceCosine()(1.0, Progress(fraction, 0)) == pytest.approx(expected)


def test_rate_of_public_archives_starts_lower() -> None:
    assert ReduceCosine(rate=0.3)(1.0, Progress(0.0, 0)) == pytest.approx(0.6)
