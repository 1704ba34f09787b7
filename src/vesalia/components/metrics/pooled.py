"""Metrics that judge all subjects together: no subject has a value of its own, the whole list has one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch

from vesalia.components.metrics.base import Metric, SubjectScore, required_field
from vesalia.components.metrics.roc import Scores, Truths
from vesalia.errors import DataError
from vesalia.imaging.label_heads import Heads, head_widths, likelihoods, true_channels

__all__ = ["LabelMetric"]

_THRESHOLD = 0.5


class LabelMetric(Metric):
    """Collects predictions and labels of a classification; what they are worth is told by :meth:`compute`.

    The value per subject is NaN; what a subject adds is kept in its score's ``pooled``.

    Attributes:
        field: What was predicted: ``[C]`` probabilities.
        label_field: What is true: a vector with a number per label.
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.
    """

    is_pooled: bool = True
    sums_up_scores_alone: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        field: str,
        *,
        label_field: str,
        label_format: Sequence[int] | None,
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
        self.label_format = None if label_format is None else tuple(label_format)
        self.heads: Heads = ()

    @torch.no_grad()
    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """The subject's probabilities and labels, one behind the other, as ``pooled``; its value is NaN.

        Raises:
            ConfigError: A field is not there, or channels and labels do not fit.
            DataError: A field is no vector, or a probability is not a number.
        """
        found = required_field(fields, self.field, metric=self.name).detach().cpu()
        wanted = required_field(fields, self.label_field, metric=self.name).detach().cpu()
        for name, vector in ((self.field, found), (self.label_field, wanted)):
            if vector.ndim != 1:
                message = f"{subject}: metric {self.name}: {name}: found the shape {list(vector.shape)}, expected a "
                raise DataError(message + "vector; write a model and a data list for classification")
        if not bool(found.isfinite().all()):
            message = f"{subject}: metric {self.name}: {self.field}: found a probability that is not a number, "
            raise DataError(message + "expected numbers; write a smaller learning_rate and train again")
        self.heads = head_widths(len(found), len(wanted), label_format=self.label_format)
        shares, truths = likelihoods(found[None], self.heads)[0], true_channels(wanted[None], self.heads)[0]
        return SubjectScore(subject, math.nan, pooled=(*shares.tolist(), *truths.tolist()))

    def compute(self) -> float:
        """The value over all subjects; NaN where nothing can be judged."""
        scores, truths = self.collected()
        return self.over(scores, truths) if len(scores) else math.nan

    @abstractmethod
    def over(self, scores: Scores, truths: Truths) -> float:
        """The value of ``[subjects, C]`` probabilities and truths."""

    def collected(self) -> tuple[Scores, Truths]:
        """What was predicted and what is true, ``[subjects, C]`` each; a soft label counts as true above 0.5."""
        rows = np.array([score.pooled for score in self.scores] or np.empty((0, 0)), dtype=np.float64)
        half = rows.shape[1] // 2
        return rows[:, :half], rows[:, half:] > _THRESHOLD
