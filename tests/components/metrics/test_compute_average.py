"""ComputeAverage: the conformance suite, invalid values, the turned sign."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from vesalia.components.metrics.compute_average import ComputeAverage
from vesalia.testing.metrics import MetricSuite


class TestComputeAverage(MetricSuite):
    def make(self) -> ComputeAverage:
        return ComputeAverage("mean", "negloss")

    def good(self) -> dict[str, torch.Tensor]:
        return {"negloss": torch.tensor(-0.1)}

    def bad(self) -> dict[str, torch.Tensor]:
        return {"negloss": torch.tensor(-0.9)}

    def undefined(self) -> dict[str, torch.Tensor]:
        return {"negloss": torch.tensor(math.nan)}


@pytest.mark.parametrize(
    ("values", "expected"), [([1.0, 3.0], 2.0), ([1.0, -1.0, 3.0], 2.0), ([math.nan, 3.0], 3.0), ([-1.0], math.nan)]
)
def test_invalid_values_are_left_out(values: list[float], expected: float) -> None:
    metric = ComputeAverage("mean", "x", invalid_value=-1.0)
    assert metric.score("a", {"x": torch.tensor(values)}).value == pytest.approx(expected, nan_ok=True)


def test_the_sign_turns() -> None:
    assert ComputeAverage("mean", "loss", negate_value=True).score("a", {"loss": torch.tensor(0.25)}).value == -0.25
