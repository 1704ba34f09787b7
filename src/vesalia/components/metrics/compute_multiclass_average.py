"""v3's ComputeMulticlassAverage metric: the ROC area of n-way labels, averaged label by label."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Literal

import numpy as np

from vesalia.components.metrics.pooled import LabelMetric
from vesalia.components.metrics.roc import Scores, Truths, averaged_area
from vesalia.errors import ConfigError
from vesalia.registry.kinds import FieldName, Whole, Widths

__all__ = ["ComputeMulticlassAverage"]


class ComputeMulticlassAverage(LabelMetric):
    """The area under the ROC curve of each label, each of its classes against its others; then the mean over labels.

    ``ComputeAUC`` treats all channels alike; here a label with many classes weighs no more than one with few.

    Args:
        name: The name in logs and file names.
        field: What was predicted: ``[C]`` probabilities.
        label_field: What is true: a vector with a number per label.
        auc_average: How the classes of a label are averaged, as in ``ComputeAUC``.
        label_index: The one label to judge, counted from 0; None for the mean over all.
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.
        do_summary: Whether TensorBoard gets it.
        do_print: Whether the console gets it.
        is_key_metric: Whether it chooses the best model.
        report_path: Folder for the metric's own report files.
    """

    def __init__(
        self,
        name: str,
        field: FieldName,
        *,
        label_field: FieldName = "label",
        auc_average: Literal["macro", "micro", "weighted", "none"] | None = "macro",
        label_index: Whole | None = None,
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
        self.label_index = label_index

    def over(self, scores: Scores, truths: Truths) -> float:
        """The mean over the labels, or the one that is asked for."""
        ends = np.cumsum(self.heads)
        parts = [slice(end - width, end) for end, width in zip(ends, self.heads, strict=True)]
        if self.label_index is not None and self.label_index >= len(parts):
            message = f"metric {self.name}: label_index: found {self.label_index}, expected a number from 0 to "
            raise ConfigError(f"{message}{len(parts) - 1}; write 0")
        chosen = parts if self.label_index is None else [parts[self.label_index]]
        values = [averaged_area(scores[:, part], truths[:, part], average=self.auc_average) for part in chosen]
        known = [value for value in values if not math.isnan(value)]
        return float(np.mean(known)) if known else math.nan
