"""Custom metrics for v3: a value per subject, and what all of them come to."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ai4med.common.transform_ctx import TransformContext
from ai4med.components.metric import Metric as V3Metric
from vesalia.components.metrics.ai4med_metric import Ai4medMetric
from vesalia.components.metrics.base import SubjectFields
from vesalia.errors import ConfigError, DataError
from vesalia.registry.target import Brought
from vesalia.testing.metrics import MetricSuite


class Agreement(V3Metric):
    """Share of voxels where the largest class is the label."""

    def __init__(self, name: str = "", field: str = "model", label_field: str = "label", **more: Any) -> None:
        V3Metric.__init__(self, name, **more)
        self._field, self._label_field = field, label_field

    def compute(self, ctx: TransformContext) -> float:
        model = ctx.get_image(self._field)
        found = model.get_data().argmax(model.get_shape_format().get_channel_axis())
        label = ctx.get_image(self._label_field).get_data()[0]
        return float((found == label).mean())


class Largest(V3Metric):
    """No mean of what each subject gives."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[float] = []

    def update(self, ctx: TransformContext) -> None:
        self.values.append(ctx["volume"])

    def get(self) -> float:
        return max(self.values)

    def reset(self) -> None:
        self.values = []


class Given(V3Metric):
    def __init__(self, value: object) -> None:
        super().__init__("given")
        self._value = value

    def compute(self, ctx: TransformContext) -> Any:
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


def adapted(made_of: type, **arguments: Any) -> Ai4medMetric:
    return Ai4medMetric(Brought(made_of, "Handle", Path(__file__)), **arguments)


class TestAi4medMetric(MetricSuite):
    def make(self) -> Ai4medMetric:
        return adapted(Agreement, name="agreement")

    def good(self) -> dict[str, torch.Tensor]:
        return {"model": torch.eye(2).reshape(2, 1, 1, 2), "label": torch.tensor([0, 1]).reshape(1, 1, 1, 2)}

    def bad(self) -> dict[str, torch.Tensor]:
        return self.good() | {"label": torch.tensor([1, 0]).reshape(1, 1, 1, 2)}


def test_the_mean_of_what_compute_gives() -> None:
    metric = adapted(Agreement, name="agreement", is_key_metric=True, report_path="eval")
    model = torch.zeros(2, 2, 2, 2)
    model[1, 0] = 1
    label = torch.zeros(1, 2, 2, 2)
    assert metric.update("a", {"model": model, "label": label}).value == 0.5
    assert metric.update("b", {"model": model, "label": label + 1}).value == 0.5
    assert metric.update("c", {"model": -model, "label": label}).value == 1
    assert metric.compute() == pytest.approx(2 / 3)
    assert (metric.name, metric.is_key_metric, metric.report_path) == ("agreement", True, "eval")
    metric.reset()
    assert math.isnan(metric.compute())


def test_a_metric_that_collects_says_itself_what_all_come_to() -> None:
    metric = adapted(Largest)
    for subject, value in (("a", 3.0), ("b", 7.0), ("c", 5.0)):
        metric.update(subject, {"volume": torch.tensor(value)})
    assert [score.value for score in metric.scores] == [3, 7, 5]
    assert (metric.compute(), metric.name, metric.is_pooled) == (7, "Handle", True)
    metric.reset()
    metric.update("d", {"volume": torch.tensor(1.0)})
    assert metric.compute() == 1


def test_a_metric_may_tell_of_itself_by_methods() -> None:
    class Asked(Given):
        def is_key_metric(self) -> bool:  # type: ignore[override]
            return True

        def __init__(self) -> None:
            self._value = 1.0

        def name(self) -> str:  # type: ignore[override]
            return "asked"

    metric = adapted(Asked)
    assert (metric.name, metric.is_key_metric, metric.do_print, metric.report_path) == ("asked", True, True, None)


def test_fields_are_images_arrays_and_numbers() -> None:
    class Kinds(V3Metric):
        def compute(self, ctx: TransformContext) -> float:
            flat = ctx.get_image("flat")
            assert (str(flat.get_shape_format()), flat.get_property("filename")) == ("CHW", "case_1")
            assert flat.get_property("spacing") == (2, 3)
            assert ctx["grades"].tolist() == [0, 1]
            assert type(ctx["loss"]) is float
            return float(np.float32(1))

    tensors = {"flat": torch.zeros(1, 2, 2), "grades": torch.tensor([0, 1]), "loss": torch.tensor(0.5)}
    fields = SubjectFields(tensors, spacing_mm={"flat": (2, 3)})
    assert adapted(Kinds).score("case_1", fields).value == 1


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), (np.float32(0.5), 0.5), (np.array(2), 2.0), (True, 1.0)])
def test_every_kind_of_number_will_do(value: object, number: float) -> None:
    assert adapted(Given, value=value).score("a", {}).value == number


@pytest.mark.parametrize("value", [None, "0.5", [0.5, 0.7], {"a": 1}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"metric given: found .* as the result of .*, expected a number"):
        adapted(Given, value=value).score("a", {})


def test_an_error_tells_the_line() -> None:
    with pytest.raises(DataError, match=r"its own code: KeyError: 'x' \(metrics/test_ai4med_metric\.py, line \d+"):
        adapted(Given, value=KeyError("x")).score("a", {})


def test_errors_of_ours_stay_what_they_are() -> None:
    with pytest.raises(ConfigError, match=r"^mine$"):
        adapted(Given, value=ConfigError("mine")).score("a", {})
