"""v3's ComputeAUC metric: the area under the ROC curve over all subjects."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from vesalia.components.metrics.pooled import LabelMetric
from vesalia.components.metrics.roc import Scores, Truths, area, averaged_area
from vesalia.errors import ConfigError
from vesalia.registry.kinds import FieldName, Whole, Widths

__all__ = ["ComputeAUC"]


class ComputeAUC(LabelMetric):
    """How well the probabilities rank: the chance that a positive stands above a negative, ties half.

    Each output channel is judged by itself: a binary label against its absence, a class of an n-way label against
    the other classes. A channel that no subject has, or that every subject has, cannot be judged and is left out.

    Args:
        name: The name in logs and file names.
        field: What was predicted: ``[C]`` probabilities.
        label_field: What is true: a vector with a number per label.
        auc_average: Mean over the channels (``macro``), weighted by their positives (``weighted``), or all pairs of
            subject and channel in one (``micro``). With ``none`` the areas stand for themselves, and where one number
            is needed it is their mean.
        class_index: The one channel to judge, counted from 0.
        include_list: The channels to judge; None for all.
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        is_key_metric: Whether it chooses the best model.
        report_path: Folder for the metric's own report files.
    """

    sums_up_scores_alone: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        field: FieldName,
        *,
        label_field: FieldName = "label",
        auc_average: Literal["macro", "micro", "weighted", "none"] | None = "macro",
        class_index: Whole | None = None,
        include_list: Sequence[int] | None = None,
        label_format: Widths | None = None,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
        report_path: str | None = None,
    ) -> None:
        super().__init__(
            name,
            field,
            label_field=label_field,
            label_format=label_format,
            do_summary=do_summary,
            do_print=do_print,
            is_key_metric=is_key_metric,
            report_path=report_path,
        )
        self.auc_average = auc_average or "none"
        self.class_index = class_index
        self.include_list = None if include_list is None else tuple(include_list)

    def over(self, scores: Scores, truths: Truths) -> float:
        """The averaged area over the channels that are asked for."""
        chosen = self._chosen(scores.shape[1])
        return averaged_area(scores[:, chosen], truths[:, chosen], average=self.auc_average)

    def per_class(self) -> tuple[float, ...]:
        """The area of every channel, those that are not asked for included; NaN where it cannot be judged."""
        scores, truths = self.collected()
        return tuple(area(scores[:, k], truths[:, k]) for k in range(scores.shape[1])) if len(scores) else ()

    def _chosen(self, channels: int) -> list[int]:
        chosen = list(range(channels)) if self.include_list is None else list(self.include_list)
        if self.class_index is not None:
            chosen = [self.class_index]
        outside = [index for index in chosen if not 0 <= index < channels]
        if outside or not chosen:
            key = "include_list" if self.class_index is None else "class_index"
            message = f"metric {self.name}: {key}: found {outside or 'no channel'}, expected numbers from 0 to "
            raise ConfigError(f"{message}{channels - 1}; write {np.arange(channels).tolist()[:3]}")
        return chosen
