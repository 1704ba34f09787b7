"""What every metric must do: inherit :class:`MetricSuite`, say how yours is made and fed, and it is tested."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from abc import ABC, abstractmethod

import pytest
import torch

from vesalia.components.metrics.base import Metric
from vesalia.errors import UserError
from vesalia.testing.claims import claim

__all__ = ["MetricSuite"]


class MetricSuite(ABC):
    """Tests of a metric that says more for a good subject than for a bad one."""

    @abstractmethod
    def make(self) -> Metric:
        """The metric under test."""

    @abstractmethod
    def good(self) -> dict[str, torch.Tensor]:
        """The fields of a subject that was done well."""

    @abstractmethod
    def bad(self) -> dict[str, torch.Tensor]:
        """The fields of a subject that was done badly."""

    def undefined(self) -> dict[str, torch.Tensor] | None:
        """The fields of a subject that the metric has no value for, if there are such."""
        return None

    def test_more_is_better(self) -> None:
        """The good subject's score is larger, as the choice of the best model needs it."""
        metric = self.make()
        good, bad = metric.update("good", self.good()), metric.update("bad", self.bad())
        claim(good.value > bad.value, f"found {good.value} for the good subject and {bad.value} for the bad one")
        claim([score.subject for score in metric.scores] == ["good", "bad"], "found the subjects' names lost")

    def test_summary_is_the_mean_over_subjects(self) -> None:
        """Every subject weighs the same, in any order."""
        metric, turned = self.make(), self.make()
        values = [metric.update("good", self.good()).value, metric.update("bad", self.bad()).value]
        turned.update("bad", self.bad())
        turned.update("good", self.good())
        claim(math.isclose(metric.compute(), sum(values) / 2), f"found {metric.compute()} as the mean of {values}")
        claim(math.isclose(metric.compute(), turned.compute()), "found another summary in another order")

    def test_forgets_on_reset(self) -> None:
        """After a reset, and before the first subject, there is no value."""
        metric = self.make()
        claim(math.isnan(metric.compute()), "found a summary before any subject")
        metric.update("good", self.good())
        metric.reset()
        claim(math.isnan(metric.compute()) and not metric.scores, "found scores after a reset")

    def test_leaves_subjects_without_a_value_out(self) -> None:
        """NaN for such a subject, and the summary does not notice it."""
        fields = self.undefined()
        if fields is None:
            pytest.skip("this metric has a value for every subject")
        metric = self.make()
        good = metric.update("good", self.good())
        claim(math.isnan(metric.update("undefined", fields).value), "found a value where there should be none")
        claim(metric.compute() == good.value, "found the summary moved by a subject without a value")

    def test_changes_no_field(self) -> None:
        """Fields are as before, and need no gradient."""
        fields = self.good()
        kept = {name: field.clone() for name, field in fields.items()}
        self.make().score("good", fields)
        claim(all(torch.equal(field, kept[name]) for name, field in fields.items()), "found a field changed in place")

    def test_names_a_field_that_is_missing(self) -> None:
        """A misspelt field is the user's to mend: which metric, which field, which there are."""
        metric = self.make()
        with pytest.raises(UserError, match=metric.name):
            metric.score("good", {"something": torch.zeros(1, 2, 2)})
