"""ComputeMulticlassAverage: the suite, and labels that weigh the same however many classes they have."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.components.metrics.test_roc import pairs_counted
from tests.drawn import integers, uniform
from vesalia.components.metrics.compute_multiclass_average import ComputeMulticlassAverage
from vesalia.errors import ConfigError
from vesalia.testing.label_metrics import LabelMetricSuite, judged

FOUND = uniform(30, 5)
WANTED = torch.stack([integers(2, (30,)), integers(3, (30,), seed=3)], dim=1)


class TestComputeMulticlassAverage(LabelMetricSuite):
    def make(self) -> ComputeMulticlassAverage:
        return ComputeMulticlassAverage("average", "model")


def value(**args: Any) -> float:
    metric = ComputeMulticlassAverage("average", "model", label_format=[2, 3], **args)
    return judged(metric, FOUND, wanted=WANTED).compute()


def of_label(place: int, start: int, width: int) -> float:
    shares = FOUND[:, start : start + width].double()
    shares = shares / shares.sum(1, keepdim=True)
    classes = [pairs_counted(shares[:, k].numpy(), (WANTED[:, place] == k).numpy()) for k in range(width)]
    return sum(classes) / width


def test_every_label_weighs_the_same() -> None:
    assert value() == pytest.approx((of_label(0, 0, 2) + of_label(1, 2, 3)) / 2, abs=1e-6)


@pytest.mark.parametrize(("index", "start", "width"), [(0, 0, 2), (1, 2, 3)])
def test_one_label_can_be_chosen(index: int, start: int, width: int) -> None:
    assert value(label_index=index, auc_average=None) == pytest.approx(of_label(index, start, width), abs=1e-6)


def test_a_label_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="label_index: found 2, expected a number from 0 to 1"):
        value(label_index=2)


def test_a_label_that_cannot_be_judged_is_left_out() -> None:
    wanted = WANTED.clone()
    wanted[:, 0] = 1
    metric = ComputeMulticlassAverage("average", "model", label_format=[2, 3])
    assert judged(metric, FOUND, wanted=wanted).compute() == pytest.approx(of_label(1, 2, 3), abs=1e-6)
    wanted[:, 1] = 0
    metric.reset()
    assert math.isnan(judged(metric, FOUND, wanted=wanted).compute())
