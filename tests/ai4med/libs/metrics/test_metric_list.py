"""The list of a metric's values."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

from ai4med.libs.metrics.metric_list import MetricList


def test_the_mean_of_the_valid_values() -> None:
    values = MetricList("dice", invalid_value=-1)
    for subject, value in [("a", 1.0), ("b", math.nan), ("c", -1), ("d", 0.5)]:
        values.add(subject, value)
    assert values.average() == 0.75
    assert values.subjects == ["a", "b", "c", "d"]
    values.reset()
    assert math.isnan(values.average())
