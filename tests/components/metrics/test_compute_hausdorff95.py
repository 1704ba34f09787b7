"""ComputeHausdorff95: the conformance suite, millimetres, the sign."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.components.metrics.surfaces import fields_of, square
from vesalia.components.metrics.base import SubjectFields
from vesalia.components.metrics.compute_hausdorff95 import ComputeHausdorff95
from vesalia.errors import ConfigError
from vesalia.testing.metrics import MetricSuite


class TestComputeHausdorff95(MetricSuite):
    def make(self) -> ComputeHausdorff95:
        return ComputeHausdorff95("hd95", "model", negate_value=True, is_key_metric=True)

    def good(self) -> dict[str, torch.Tensor]:
        return fields_of(square(at=3), square(at=4))

    def bad(self) -> dict[str, torch.Tensor]:
        return fields_of(square(at=7), square(at=2))

    def undefined(self) -> dict[str, torch.Tensor]:
        return fields_of(square(at=7), square(at=2) * 0)


def test_millimetres() -> None:
    label = torch.zeros(1, 12, 12, dtype=torch.long)
    label[0, 3, 3] = 1
    fields = fields_of(label.roll(2, dims=2), label)
    metric = ComputeHausdorff95("hd95", "model")
    assert metric.score("a", fields).value == 2.0
    assert metric.score("a", SubjectFields(fields, spacing_mm={"label": (1.0, 3.5)})).value == 7.0
    assert ComputeHausdorff95("hd95", "model", negate_value=True).score("a", fields).per_class == (-2.0,)


def test_nothing_predicted_is_as_far_as_the_image_is_long() -> None:
    scored = ComputeHausdorff95("hd95", "model").score("a", fields_of(square(at=3) * 0, square(at=3)))
    assert scored.value == pytest.approx(math.hypot(12, 12))


def test_the_key_metric_must_be_negated() -> None:
    with pytest.raises(ConfigError, match="negate_value: found false for the key metric"):
        ComputeHausdorff95("hd95", "model", is_key_metric=True)
    assert not ComputeHausdorff95("hd95", "model").larger_is_better
