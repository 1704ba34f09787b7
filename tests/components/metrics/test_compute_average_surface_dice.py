"""ComputeAverageSurfaceDice: the conformance suite, millimetres, classes that are absent."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch

from tests.components.metrics.surfaces import fields_of, square
from vesalia.components.metrics.base import SubjectFields
from vesalia.components.metrics.compute_average_surface_dice import ComputeAverageSurfaceDice
from vesalia.errors import DataError
from vesalia.testing.metrics import MetricSuite


class TestComputeAverageSurfaceDice(MetricSuite):
    def make(self) -> ComputeAverageSurfaceDice:
        return ComputeAverageSurfaceDice("nsd", "model")

    def good(self) -> dict[str, torch.Tensor]:
        return fields_of(square(at=3), square(at=3))

    def bad(self) -> dict[str, torch.Tensor]:
        return fields_of(square(at=7), square(at=2))

    def undefined(self) -> dict[str, torch.Tensor]:
        return fields_of(square(at=7), square(at=2) * 0)


def test_the_tolerance_is_in_millimetres() -> None:
    fields = fields_of(square(at=3), square(at=4))
    metric = ComputeAverageSurfaceDice("nsd", "model", tolerance_mm=2.0)
    assert metric.score("a", fields).value == 1.0
    coarse = SubjectFields(fields, spacing_mm={"label": (3.0, 3.0), "model": (1.0, 1.0)})
    assert metric.score("a", coarse).value < 1.0


def test_a_score_per_class_without_those_that_are_absent() -> None:
    label = square(at=3) + square(at=8, value=3)
    predicted = torch.nn.functional.one_hot(square(at=3)[0], 4).movedim(-1, 0).float()
    scored = ComputeAverageSurfaceDice("nsd", "model").score("a", {"model": predicted, "label": label})
    assert scored.per_class == pytest.approx((1.0, math.nan, 0.0), nan_ok=True)
    assert scored.value == 0.5
    everything = ComputeAverageSurfaceDice("nsd", "model", remove_bg=False)
    assert len(everything.score("a", {"model": predicted, "label": label}).per_class) == 4


def test_a_mask_and_a_map_of_class_numbers() -> None:
    fields = {"model": square(at=3), "label": square(at=3)}
    assert ComputeAverageSurfaceDice("nsd", "model").score("a", fields).per_class == (1.0,)
    of_map = ComputeAverageSurfaceDice("nsd", "model", num_classes=3)
    assert of_map.score("a", fields).per_class == pytest.approx((1.0, math.nan), nan_ok=True)


def test_faults_name_the_subject() -> None:
    with pytest.raises(DataError, match=r"a: metric nsd: .*found"):
        ComputeAverageSurfaceDice("nsd", "model").score("a", {"model": torch.zeros(2, 4, 4), "label": square(at=3)})
