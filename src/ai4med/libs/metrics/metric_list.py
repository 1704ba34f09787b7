"""The values of a metric, one a subject."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

__all__ = ["MetricList"]


class MetricList:
    """Values that are collected and averaged.

    Args:
        name: Whose values they are.
        invalid_value: A number that means "no value"; NaN always does.

    Attributes:
        subjects: What was given as the subject's name, value by value.
        values: The values, invalid ones included.
    """

    def __init__(self, name: str = "", *, invalid_value: float = math.nan) -> None:
        self.name = name
        self.invalid_value = invalid_value
        self.subjects: list[str] = []
        self.values: list[float] = []

    def add(self, subject: str, value: float) -> None:
        """Keep a value."""
        self.subjects.append(subject)
        self.values.append(float(value))

    def reset(self) -> None:
        """Forget all values."""
        self.subjects, self.values = [], []

    def average(self) -> float:
        """The mean of the valid values; NaN where there is none."""
        valid = [value for value in self.values if not math.isnan(value) and value != self.invalid_value]
        return sum(valid) / len(valid) if valid else math.nan
