"""The base of metrics."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from ai4med.common.medical_image import MedicalImage
from ai4med.common.transform_ctx import TransformContext
from ai4med.components.metric import Metric


class Largest(Metric):
    def compute(self, ctx: TransformContext) -> float:
        return float(ctx.get_image("model").get_data().max())


def context(value: float) -> TransformContext:
    image = MedicalImage(np.full((2, 2), value), "HW", properties={"filename": f"case_{value:g}"})
    return TransformContext({"volume": 3.0, "model": image})


def test_the_mean_of_what_compute_gives() -> None:
    metric = Largest("largest", is_key_metric=True)
    metric.update(context(1))
    metric.update(context(2))
    assert (metric.get(), metric.metric_list.subjects) == (1.5, ["case_1", "case_2"])
    metric.reset()
    metric.update(context(4))
    assert metric.get() == 4
    assert (metric.name, metric.is_key_metric, metric.do_print, metric.do_summary) == ("largest", True, True, True)


def test_a_context_without_images_has_no_subject() -> None:
    class Constant(Metric):
        def compute(self, ctx: TransformContext) -> float:
            return 1.0

    metric = Constant()
    metric.update(TransformContext())
    assert metric.metric_list.subjects == [""]


def test_a_metric_without_compute_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match=r"found no method compute, expected one"):
        Metric("none").compute(TransformContext())
