"""What metrics share: the summary over subjects, and fields by name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from vesalia.components.metrics.base import (
    Metric,
    SubjectFields,
    SubjectScore,
    key_metric,
    required_field,
    spacing_of,
)
from vesalia.errors import ConfigError


class Given(Metric):
    """A metric whose scores the test gives."""

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        values = fields["values"].tolist()
        return SubjectScore(subject, values[0], tuple(values[1:]))


def test_summary_leaves_nan_out() -> None:
    metric = Given("dice", is_key_metric=True, report_path="eval")
    for name, values in (("a", [0.5, 0.4, 0.6]), ("b", [math.nan, math.nan, math.nan]), ("c", [1.0, math.nan, 1.0])):
        metric.update(name, {"values": torch.tensor(values, dtype=torch.float64)})
    assert metric.compute() == pytest.approx(0.75)
    assert metric.per_class() == pytest.approx((0.4, 0.8))
    assert (metric.is_key_metric, metric.report_path, metric.do_print, metric.do_summary) == (True, "eval", True, True)


def test_a_class_that_no_subject_has() -> None:
    metric = Given("dice")
    metric.update("a", {"values": torch.tensor([0.5, math.nan, 0.5])})
    assert metric.per_class() == pytest.approx((math.nan, 0.5), nan_ok=True)


def test_nothing_to_summarise() -> None:
    metric = Given("dice")
    assert math.isnan(metric.compute())
    assert metric.per_class() == ()
    metric.update("a", {"values": torch.tensor([math.nan])})
    assert math.isnan(metric.compute())
    metric.reset()
    assert metric.scores == []


def test_a_missing_field_is_named_with_those_there_are() -> None:
    fields = {"model": torch.zeros(1), "label": torch.ones(1)}
    assert required_field(fields, "label", metric="dice") is fields["label"]
    with pytest.raises(ConfigError, match="metric dice: found no field 'modle', expected one of: label, model"):
        required_field(fields, "modle", metric="dice")


def test_spacing_is_1_where_nobody_knows() -> None:
    fields = {"label": torch.zeros(1, 2, 2)}
    assert spacing_of(fields, "label") == (1.0, 1.0)
    assert spacing_of(SubjectFields(fields), "label") == (1.0, 1.0)
    assert spacing_of(SubjectFields(fields, spacing_mm={"label": (2.0, 0.5)}), "label") == (2.0, 0.5)


def test_the_key_metric_is_the_flagged_one_or_the_first_of_which_more_is_better() -> None:
    less, more, flagged = Given("less"), Given("more"), Given("flagged", is_key_metric=True)
    less.larger_is_better = False
    assert key_metric([less, more, flagged]) is flagged
    assert key_metric([less, more]) is more
    assert key_metric([less]) is None
