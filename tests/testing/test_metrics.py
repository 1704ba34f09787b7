"""MetricSuite fails metrics that break one rule each."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from vesalia.components.metrics.base import Metric, SubjectScore
from vesalia.testing.metrics import MetricSuite


class Turned(Metric):
    """Smaller is better; counts subjects without a value as 0, changes its field and names nothing."""

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        value = fields["x"].clone()
        fields["x"].zero_()
        return SubjectScore("nobody", -float(value.nan_to_num()))

    def compute(self) -> float:
        return self.scores[0].value if self.scores else 0.0


class Suite(MetricSuite):
    def make(self) -> Metric:
        return Turned("turned")

    def good(self) -> dict[str, torch.Tensor]:
        return {"x": torch.tensor(1.0)}

    def bad(self) -> dict[str, torch.Tensor]:
        return {"x": torch.tensor(0.5)}

    def undefined(self) -> dict[str, torch.Tensor]:
        return {"x": torch.tensor(torch.nan)}


def test_each_broken_rule_is_found() -> None:
    suite = Suite()
    with pytest.raises(AssertionError, match="good subject"):
        suite.test_more_is_better()
    with pytest.raises(AssertionError, match="mean"):
        suite.test_summary_is_the_mean_over_subjects()
    with pytest.raises(AssertionError, match="before any subject"):
        suite.test_forgets_on_reset()
    with pytest.raises(AssertionError, match="should be none"):
        suite.test_leaves_subjects_without_a_value_out()
    with pytest.raises(AssertionError, match="in place"):
        suite.test_changes_no_field()
    with pytest.raises(KeyError):
        suite.test_names_a_field_that_is_missing()


def test_a_metric_that_always_has_a_value_skips_in_words() -> None:
    class Always(Suite):
        def undefined(self) -> None:  # type: ignore[override]
            return None

    with pytest.raises(pytest.skip.Exception, match="every subject"):
        Always().test_leaves_subjects_without_a_value_out()
