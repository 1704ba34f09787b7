"""ComputeAverageDice: the conformance suite, and v3's ways to decide."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.drawn import integers, normal, uniform
from vesalia.components.metrics.compute_average_dice import ComputeAverageDice
from vesalia.errors import DataError
from vesalia.testing.metrics import MetricSuite

LABEL = torch.tensor([[0, 0, 1, 1, 2, 2]]).view(1, 1, 2, 3)


def onehot(labels: torch.Tensor, classes: int = 3) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels[0].long(), classes).movedim(-1, 0).float()


class TestComputeAverageDice(MetricSuite):
    def make(self) -> ComputeAverageDice:
        return ComputeAverageDice("dice", "model")

    def good(self) -> dict[str, torch.Tensor]:
        return {"model": onehot(LABEL), "label": LABEL}

    def bad(self) -> dict[str, torch.Tensor]:
        return {"model": onehot(LABEL.flip(-1, -2)), "label": LABEL}

    def undefined(self) -> dict[str, torch.Tensor]:
        return {"model": onehot(LABEL), "label": torch.zeros_like(LABEL)}


class TestComputeAverageDiceOfMasks(TestComputeAverageDice):
    def good(self) -> dict[str, torch.Tensor]:
        return {"model": (LABEL > 0).float(), "label": LABEL}

    def bad(self) -> dict[str, torch.Tensor]:
        return {"model": (LABEL == 0).float(), "label": LABEL}

    def undefined(self) -> dict[str, torch.Tensor]:
        return {"model": (LABEL > 0).float(), "label": torch.zeros_like(LABEL)}


def score(field: torch.Tensor, label: torch.Tensor, **arguments: bool | float) -> tuple[float, ...]:
    metric = ComputeAverageDice("dice", "model", **arguments)  # type: ignore[arg-type]
    return metric.score("a", {"model": field, "label": label}).per_class


def test_per_class_and_mean_over_classes_that_are_there() -> None:
    label = torch.tensor([0, 0, 1, 1]).view(1, 4)
    probabilities = onehot(torch.tensor([[0, 1, 1, 2]]))
    scored = ComputeAverageDice("dice", "model").score("a", {"model": probabilities, "label": label})
    assert scored.per_class == pytest.approx((2 * 1 / 4, math.nan), nan_ok=True)
    assert scored.value == pytest.approx(0.5)
    background = score(probabilities, label, remove_bg=False)
    assert background == pytest.approx((2 * 1 / 3, 0.5, math.nan), nan_ok=True)


def test_softmax_over_three_classes_takes_the_largest() -> None:
    """No class reaches a half in voxel 0; v3's threshold alone would leave it without a class."""
    probabilities = torch.tensor([[0.2, 0.8], [0.35, 0.1], [0.45, 0.1]])
    label = torch.tensor([[2, 0]])
    assert score(probabilities, label) == pytest.approx((math.nan, 1.0), nan_ok=True)
    assert score(probabilities, label, logit_thresh=0.4) == pytest.approx((math.nan, 1.0), nan_ok=True)
    assert score(probabilities, label, logit_thresh=0.46) == pytest.approx((math.nan, 0.0), nan_ok=True)


def test_independent_channels_are_decided_one_by_one() -> None:
    probabilities = torch.tensor([[0.1, 0.9], [0.6, 0.2], [0.9, 0.7]])
    label = torch.tensor([[2, 0]])
    assert score(probabilities, label) == pytest.approx((math.nan, 2 / 3), nan_ok=True)


def test_two_classes_by_threshold_are_those_of_the_largest() -> None:
    logits = normal(2, 5, 5)
    label = integers(2, (1, 5, 5))
    probabilities = logits.softmax(0)
    expected = score(onehot(probabilities.argmax(0, keepdim=True), 2), label)
    assert score(probabilities, label) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 3])
def test_onehot_targets(classes: int) -> None:
    probabilities = normal(classes, 6, 6).softmax(0)
    label = integers(classes, (1, 6, 6))
    expected = score(probabilities, label)
    assert score(probabilities, onehot(label, classes), is_one_hot_targets=True) == pytest.approx(expected)


def test_a_label_outside_the_classes_is_no_class() -> None:
    label = torch.tensor([[0, 1, 9]])
    assert score(onehot(torch.tensor([[0, 1, 1]])), label) == pytest.approx((2 / 3, math.nan), nan_ok=True)


@pytest.mark.parametrize(
    ("field", "label"),
    [
        (uniform(3, 4, 4).softmax(0), torch.zeros(1, 4, 5)),
        (uniform(2, 4, 4), torch.zeros(1, 1, 1)),
        (uniform(2, 4, 4), torch.zeros(2, 4, 4)),
    ],
)
def test_faults_name_the_subject(field: torch.Tensor, label: torch.Tensor) -> None:
    with pytest.raises(DataError, match=r"a: metric dice: .*found"):
        score(field, label)


def test_a_map_of_class_numbers_is_compared_class_by_class() -> None:
    """What ``ArgmaxAcrossChannels`` leaves gives what the probabilities gave."""
    probabilities = normal(3, 6, 6).softmax(0)
    label = integers(3, (1, 6, 6))
    numbers = probabilities.argmax(0, keepdim=True).float()
    assert score(numbers, label, num_classes=3) == pytest.approx(score(probabilities, label))
    with pytest.raises(DataError, match="num_classes: 3"):
        score(torch.tensor([[0.0, 2.0]]), torch.tensor([[0, 1]]), num_classes=2)
