"""Both module paths lead to one class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from ai4med.components import metric
from ai4med.components.metrics.metric import Metric


def test_it_is_the_same_class() -> None:
    assert Metric is metric.Metric
