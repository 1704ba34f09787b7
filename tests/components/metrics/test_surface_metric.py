"""What surface metrics share: which classes are asked for, with which spacing, and how they are averaged."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from tests.components.metrics.surfaces import fields_of, square
from vesalia.components.metrics.base import SubjectFields
from vesalia.components.metrics.class_rule import ClassRule
from vesalia.components.metrics.surface_metric import SurfaceMetric
from vesalia.imaging.surface import Mask


class Asked(SurfaceMetric):
    """Remembers what it was asked; a class scores the voxels of its label."""

    def __init__(self, *, remove_bg: bool) -> None:
        super().__init__(
            "asked",
            "model",
            label_field="label",
            rule=ClassRule(),
            remove_bg=remove_bg,
            do_summary=False,
            do_print=False,
            is_key_metric=True,
            report_path="eval",
        )
        self.spacings: list[tuple[float, ...]] = []

    def of_masks(self, predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float]) -> float:
        self.spacings.append(tuple(spacing_mm))
        return float(wanted.sum()) or math.nan


def test_every_class_is_asked_with_the_labels_spacing() -> None:
    fields = SubjectFields(fields_of(square(at=3), square(at=2)), spacing_mm={"label": (2.0, 3.0)})
    metric = Asked(remove_bg=False)
    assert metric.score("a", fields).per_class == (128.0, 16.0)
    assert metric.score("a", fields).value == 72.0
    assert set(metric.spacings) == {(2.0, 3.0)}
    assert Asked(remove_bg=True).score("a", fields).per_class == (16.0,)


def test_absent_classes_are_left_out_and_one_channel_is_never_background() -> None:
    nothing = torch.zeros(1, 12, 12, dtype=torch.long)
    assert math.isnan(Asked(remove_bg=True).score("a", fields_of(square(at=3), nothing)).value)
    assert Asked(remove_bg=True).score("a", {"model": square(at=3), "label": square(at=3)}).value == 16.0


def test_the_reporting_arguments_arrive() -> None:
    metric = Asked(remove_bg=True)
    assert (metric.do_summary, metric.do_print, metric.is_key_metric, metric.report_path) == (
        False,
        False,
        True,
        "eval",
    )
