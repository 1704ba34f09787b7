"""What metrics of surfaces share: class by class on a whole subject, with the millimetres of its voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch

from vesalia.components.metrics.base import Metric, SubjectScore, required_field, spacing_of
from vesalia.components.metrics.class_rule import ClassRule
from vesalia.errors import DataError
from vesalia.imaging.surface import Mask

__all__ = ["SurfaceMetric"]


class SurfaceMetric(Metric):
    """A score per class from two surfaces, and the mean over the classes that the label holds.

    Args:
        name: The name in logs and file names.
        field: What was predicted.
        label_field: What is true; its voxels' spacing counts.
        rule: How the two are read.
        remove_bg: Leave channel 0 of several out.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        is_key_metric: Whether it chooses the best model.
        report_path: Folder for the metric's own report files.
    """

    def __init__(
        self,
        name: str,
        field: str,
        *,
        label_field: str,
        rule: ClassRule,
        remove_bg: bool,
        do_summary: bool,
        do_print: bool,
        is_key_metric: bool,
        report_path: str | None,
    ) -> None:
        super().__init__(
            name, is_key_metric=is_key_metric, do_summary=do_summary, do_print=do_print, report_path=report_path
        )
        self.field = field
        self.label_field = label_field
        self.rule = rule
        self.remove_bg = remove_bg

    @abstractmethod
    def of_masks(self, predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float]) -> float:
        """The score of one class; NaN where the label lacks it."""

    @torch.no_grad()
    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """A score per class (the background left out with ``remove_bg``) and their mean.

        Raises:
            ConfigError: A field is not there.
            DataError: Prediction and label cannot be compared.
        """
        predicted = required_field(fields, self.field, metric=self.name)
        wanted = required_field(fields, self.label_field, metric=self.name).to(predicted.device)
        try:
            read = self.rule.read(predicted, wanted)
        except DataError as error:
            raise DataError(f"{subject}: metric {self.name}: {error.message}") from error
        first = 1 if self.remove_bg and read.classes > 1 else 0
        spacing_mm = spacing_of(fields, self.label_field)
        scores: list[float] = []
        for number in range(first, read.classes):
            masks = (mask.cpu().numpy() for mask in read.of_class(number))
            scores.append(self.of_masks(*masks, spacing_mm=spacing_mm))
        present = [score for score in scores if not math.isnan(score)]
        return SubjectScore(subject, float(np.mean(present)) if present else math.nan, tuple(scores))
