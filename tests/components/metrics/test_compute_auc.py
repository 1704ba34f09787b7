"""ComputeAUC: the suite, every average against a count of all pairs, and the choice of channels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from tests.components.metrics.test_roc import pairs_counted
from tests.drawn import integers, uniform
from vesalia.components.metrics.compute_auc import ComputeAUC
from vesalia.errors import ConfigError
from vesalia.testing.label_metrics import LabelMetricSuite, judged

FOUND, WANTED = uniform(40, 4), integers(2, (40, 4))


class TestComputeAUC(LabelMetricSuite):
    def make(self) -> ComputeAUC:
        return ComputeAUC("auc", "model")


class TestComputeAUCWeighted(LabelMetricSuite):
    def make(self) -> ComputeAUC:
        return ComputeAUC("auc", "model", auc_average="weighted")


def areas() -> list[float]:
    found, wanted = FOUND.double().numpy(), WANTED.bool().numpy()
    return [pairs_counted(found[:, k], wanted[:, k]) for k in range(4)]


def value(**args: Any) -> float:
    return judged(ComputeAUC("auc", "model", **args), FOUND, wanted=WANTED).compute()


def test_averages_equal_a_count_of_all_pairs() -> None:
    assert value() == pytest.approx(np.mean(areas()), abs=1e-6)
    assert value(auc_average=None) == pytest.approx(np.mean(areas()), abs=1e-6)
    weights = WANTED.sum(0).numpy()
    assert value(auc_average="weighted") == pytest.approx(np.average(areas(), weights=weights), abs=1e-6)
    pooled = pairs_counted(FOUND.double().numpy().ravel(), WANTED.bool().numpy().ravel())
    assert value(auc_average="micro") == pytest.approx(pooled, abs=1e-6)


def test_channels_can_be_chosen() -> None:
    assert value(class_index=2) == pytest.approx(areas()[2], abs=1e-6)
    assert value(include_list=[0, 3]) == pytest.approx((areas()[0] + areas()[3]) / 2, abs=1e-6)


def test_each_channel_has_its_own_area() -> None:
    found = judged(ComputeAUC("auc", "model"), FOUND, wanted=WANTED).per_class()
    assert found == pytest.approx(areas(), abs=1e-6)


def test_a_class_of_an_n_way_label_stands_against_the_others() -> None:
    labels, found = integers(3, (40, 1)), uniform(40, 3).softmax(1)
    metric = judged(ComputeAUC("auc", "model"), found, wanted=labels)
    expected = [pairs_counted(found[:, k].double().numpy(), (labels[:, 0] == k).numpy()) for k in range(3)]
    assert metric.per_class() == pytest.approx(expected, abs=1e-6)


def test_a_channel_that_nobody_has_is_nan() -> None:
    wanted = WANTED.clone()
    wanted[:, 1] = 0
    metric = judged(ComputeAUC("auc", "model"), FOUND, wanted=wanted)
    assert math.isnan(metric.per_class()[1])
    assert metric.compute() == pytest.approx((areas()[0] + areas()[2] + areas()[3]) / 3, abs=1e-6)


@pytest.mark.parametrize("args", [{"class_index": 4}, {"include_list": [0, 9]}, {"include_list": []}])
def test_channels_that_are_not_there(args: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"metric auc: .* expected numbers from 0 to 3"):
        value(**args)


def test_other_fields() -> None:
    metric = ComputeAUC("auc", "p", label_field="t", is_key_metric=True, report_path="eval")
    metric.update("a", {"p": torch.tensor([0.1]), "t": torch.tensor([0.0])})
    metric.update("b", {"p": torch.tensor([0.2]), "t": torch.tensor([1.0])})
    assert (metric.compute(), metric.is_key_metric, metric.report_path) == (1.0, True, "eval")
