"""What a classifier said: numbers per class counted by hand, the probability of the truth per subject."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from vesalia.components.metrics.compute_auc import ComputeAUC
from vesalia.components.metrics.compute_average import ComputeAverage
from vesalia.inference.classified import Classified, classified, likelihood, likelihood_of
from vesalia.testing.label_metrics import judged

FOUND = torch.tensor([[0.9, 0.2], [0.4, 0.6], [0.7, 0.1], [0.1, 0.3]])
WANTED = torch.tensor([[1, 0], [1, 0], [0, 0], [0, 0]])


@pytest.fixture
def said() -> Classified:
    found = classified([ComputeAverage("a", "b"), judged(ComputeAUC("auc", "model"), FOUND, wanted=WANTED)], ("x", "y"))
    assert found is not None
    return found


def test_nobody_was_told() -> None:
    assert classified([ComputeAverage("a", "b"), ComputeAUC("auc", "model")], ("x",)) is None
    assert likelihood_of("a", [ComputeAUC("auc", "model")]) is None


def test_numbers_per_class(said: Classified) -> None:
    one, other = said.confusions()
    assert (one.name, one.right_yes, one.wrong_yes, one.right_no, one.wrong_no) == ("x", 1, 1, 1, 1)
    assert (one.sensitivity, one.specificity, one.precision, one.area) == (0.5, 0.5, 0.5, 0.75)
    assert (other.right_yes, other.wrong_yes, other.right_no, other.wrong_no) == (0, 1, 3, 0)
    assert math.isnan(other.sensitivity)
    assert math.isnan(other.area)


def test_only_classes_that_can_be_judged_have_a_curve(said: Classified) -> None:
    assert list(said.curves()) == ["x"]


def test_the_probability_of_the_truth(said: Classified) -> None:
    expected = [(0.9 + 0.8) / 2, (0.4 + 0.4) / 2, (0.3 + 0.9) / 2, (0.9 + 0.7) / 2]
    assert list(said.likelihoods().values()) == pytest.approx(expected)
    assert list(said.to_dict()["probability_of_the_truth"]) == [f"case {n}" for n in range(4)]


def test_the_subject_judged_last() -> None:
    metric = judged(ComputeAUC("auc", "model"), FOUND, wanted=WANTED)
    assert likelihood_of("case 3", [metric]) == pytest.approx(0.8)
    assert likelihood_of("case 0", [metric]) is None


def test_classes_of_one_label_are_said_where_they_are_likeliest() -> None:
    found = torch.tensor([[0.4, 0.35, 0.25], [0.2, 0.3, 0.5]])
    said = classified([judged(ComputeAUC("auc", "model"), found, wanted=torch.tensor([[0], [1]]))], ("x", "y", "z"))
    assert said is not None
    assert [(one.right_yes, one.wrong_yes) for one in said.confusions()] == [(1, 0), (0, 0), (0, 1)]
    assert list(said.likelihoods().values()) == pytest.approx([0.4, 0.3])


def test_a_number_that_is_no_class_was_never_likely() -> None:
    assert likelihood([0.5, 0.5], [False, False], heads=(2,)) == 0
