"""What every metric over label vectors must do: inherit :class:`LabelMetricSuite`, say how yours is made."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from abc import ABC, abstractmethod

import pytest
import torch

from vesalia.components.metrics.pooled import LabelMetric
from vesalia.errors import DataError, UserError
from vesalia.testing.claims import claim

__all__ = ["LabelMetricSuite", "judged"]


def judged(metric: LabelMetric, found: torch.Tensor, *, wanted: torch.Tensor) -> LabelMetric:
    """``metric`` told of ``[subjects, C]`` probabilities and ``[subjects, labels]`` labels."""
    for number, (row, label) in enumerate(zip(found, wanted, strict=True)):
        metric.update(f"case {number}", {metric.field: row, metric.label_field: label})
    return metric


class LabelMetricSuite(ABC):
    """Tests of a metric that is 1 where all positives are ranked above all negatives."""

    @abstractmethod
    def make(self) -> LabelMetric:
        """The metric under test, for labels of three classes."""

    @staticmethod
    def _labels() -> torch.Tensor:
        return torch.tensor([[0], [1], [2], [0], [1], [2], [1]])

    def _truth(self) -> torch.Tensor:
        return torch.nn.functional.one_hot(self._labels()[:, 0], 3).float()

    def test_more_is_better(self) -> None:
        """The truth is worth 1, its opposite 0, no opinion a half."""
        even = torch.full((7, 3), 1 / 3)
        values = [judged(self.make(), found, wanted=self._labels()).compute() for found in (self._truth(), even)]
        claim(values == [1.0, 0.5], f"found {values} for the truth and an even guess")
        wrong = judged(self.make(), (1 - self._truth()) / 2, wanted=self._labels()).compute()
        claim(wrong == 0.0, f"found {wrong} for the opposite of the truth")

    def test_the_order_of_subjects_does_not_matter(self) -> None:
        """Turned round, the value is the same."""
        found = torch.rand(7, 3, generator=torch.Generator().manual_seed(1))
        forth, back = (
            judged(self.make(), found, wanted=self._labels()),
            judged(self.make(), found.flip(0), wanted=self._labels().flip(0)),
        )
        claim(math.isclose(forth.compute(), back.compute()), "found another value in another order")

    def test_subjects_have_no_value_of_their_own(self) -> None:
        """NaN per subject; the list as a whole has the value."""
        metric = judged(self.make(), self._truth(), wanted=self._labels())
        claim(metric.is_pooled and all(math.isnan(score.value) for score in metric.scores), "found a subject's value")

    def test_forgets_on_reset(self) -> None:
        """After a reset, and before the first subject, there is no value and none per class."""
        metric = judged(self.make(), self._truth(), wanted=self._labels())
        metric.reset()
        claim(math.isnan(metric.compute()) and not metric.per_class(), "found a value after a reset")

    def test_classes_that_nobody_has_are_left_out(self) -> None:
        """Only the classes 0 and 1 occur: what is said of class 2 does not count; with one class there is no value."""
        labels = self._labels() % 2
        found = torch.nn.functional.one_hot(labels[:, 0], 3).float()
        claim(judged(self.make(), found, wanted=labels).compute() == 1.0, "found an absent class in the value")
        lonely = judged(self.make(), found, wanted=torch.zeros_like(labels))
        claim(math.isnan(lonely.compute()), "found a value where every subject is of one class")

    def test_names_what_is_wrong(self) -> None:
        """A missing field, a map instead of a vector and a probability that is no number are the user's to mend."""
        metric, vector = self.make(), torch.rand(3)
        with pytest.raises(UserError, match=metric.name):
            metric.score("case", {metric.field: vector})
        with pytest.raises(DataError, match="expected a vector"):
            metric.score("case", {metric.field: torch.rand(3, 4, 4), metric.label_field: torch.zeros(1)})
        with pytest.raises(DataError, match="not a number"):
            metric.score("case", {metric.field: vector * math.nan, metric.label_field: torch.zeros(1)})
