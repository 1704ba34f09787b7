"""A metric in PyTorch: how much of the foreground was found."""

from __future__ import annotations

import math

import torch

from vesalia.components.metrics.base import Metric, SubjectScore, required_field
from vesalia.registry.kinds import FieldName


class Sensitivity(Metric):
    """Share of the label's foreground that the prediction has as well; NaN where there is none.

    Args:
        name: The name in logs and file names.
        field: The prediction: probabilities per class, or class numbers in one channel.
        label_field: The label.
        is_key_metric: Whether it chooses the best model.
    """

    def __init__(
        self, name: str, *, field: FieldName = "model", label_field: FieldName = "label", is_key_metric: bool = False
    ) -> None:
        super().__init__(name, is_key_metric=is_key_metric)
        self.field = field
        self.label_field = label_field

    def score(self, subject: str, fields: dict[str, torch.Tensor]) -> SubjectScore:
        """The share for one subject; fields are ``[C, D, H, W]``."""
        model = required_field(fields, self.field, metric=self.name)
        wanted = required_field(fields, self.label_field, metric=self.name)[0] > 0
        found = (model.argmax(dim=0) if len(model) > 1 else model[0]) > 0
        count = int(wanted.sum())
        return SubjectScore(subject, float((found & wanted).sum()) / count if count else math.nan)
