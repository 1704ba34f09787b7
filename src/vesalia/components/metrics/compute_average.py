"""v3's ComputeAverage metric: the mean of a value that is computed elsewhere."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import torch

from vesalia.components.metrics.base import Metric, SubjectScore, required_field
from vesalia.registry.kinds import FieldName

__all__ = ["ComputeAverage"]


class ComputeAverage(Metric):
    """The mean over subjects of a field, such as the tag of an aux op.

    Args:
        name: The name in logs and file names.
        field: The field or tag; where it has several numbers, their mean is the subject's value.
        invalid_value: A number that means "no value"; NaN always does.
        negate_value: Turn the sign, so that larger is better.
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
        invalid_value: float | None = None,
        negate_value: bool = False,
        do_summary: bool = True,
        do_print: bool = True,
        is_key_metric: bool = False,
        report_path: str | None = None,
    ) -> None:
        super().__init__(
            name, is_key_metric=is_key_metric, do_summary=do_summary, do_print=do_print, report_path=report_path
        )
        self.field = field
        self.invalid_value = invalid_value
        self.negate_value = negate_value

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """The subject's value; NaN where it has no valid one.

        Raises:
            ConfigError: The field is not there.
        """
        values = required_field(fields, self.field, metric=self.name).detach().double().flatten()
        valid = ~values.isnan()
        if self.invalid_value is not None:
            valid &= values != self.invalid_value
        value = float(values[valid].mean()) if bool(valid.any()) else math.nan
        return SubjectScore(subject, -value if self.negate_value else value)
