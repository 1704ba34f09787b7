"""What an evaluation or an inference gives back: plain records that turn into JSON."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vesalia.components.metrics.base import SubjectScore
from vesalia.errors import Fault
from vesalia.runtime.jsonfile import as_json

__all__ = ["CaseResult", "EvaluateResult", "InferResult", "MetricSummary", "Statistics"]


@dataclass(frozen=True, slots=True)
class Statistics:
    """A column of scores in six numbers; NaN scores (nothing to judge) are left out.

    Attributes:
        mean: Mean; NaN where nothing is left.
        median: Median.
        std: Standard deviation of the sample (n - 1 below the line); 0 for a single score.
        minimum: Smallest score.
        maximum: Largest score.
        count: Scores that were left.
    """

    mean: float
    median: float
    std: float
    minimum: float
    maximum: float
    count: int

    @classmethod
    def pooled(cls, value: float, *, count: int) -> Statistics:
        """One value for ``count`` subjects together; what is told of single subjects is NaN."""
        return cls(value, math.nan, math.nan, math.nan, math.nan, count)

    @classmethod
    def of(cls, values: Sequence[float]) -> Statistics:
        """The statistics of ``values``."""
        kept = np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
        if not kept.size:
            return cls(math.nan, math.nan, math.nan, math.nan, math.nan, 0)
        std = float(kept.std(ddof=1)) if kept.size > 1 else 0.0
        low, high = float(kept.min()), float(kept.max())
        return cls(float(kept.mean()), float(np.median(kept)), std, low, high, int(kept.size))

    def to_dict(self) -> dict[str, float | int | None]:
        """The numbers under their usual short names."""
        return {
            "mean": as_json(self.mean),
            "median": as_json(self.median),
            "std": as_json(self.std),
            "min": as_json(self.minimum),
            "max": as_json(self.maximum),
            "n": self.count,
        }


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric over all subjects.

    Attributes:
        name: The metric's name.
        overall: Statistics of the subjects' values; of a pooled metric the one value, as the mean.
        per_class: Class name to the statistics of that class, where the metric has several classes.
        is_pooled: Whether the metric judges all subjects together, so that none has a value of its own.
    """

    name: str
    overall: Statistics
    per_class: Mapping[str, Statistics] = field(default_factory=dict)
    is_pooled: bool = False

    def row(self, score: SubjectScore) -> list[float]:
        """A subject's value, then one value per class of this summary; NaN where the score has none.

        For a pooled metric what the subject was judged by: a probability per class, then a truth per class.
        """
        if self.is_pooled:
            return list(score.pooled)
        lacking = len(self.per_class) - len(score.per_class)
        return [score.value, *[*score.per_class, *[math.nan] * lacking][: len(self.per_class)]]

    def to_dict(self) -> dict[str, Any]:
        """``mean, median, std, min, max, n, per_class``."""
        return {**self.overall.to_dict(), "per_class": {name: s.to_dict() for name, s in self.per_class.items()}}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One subject.

    Attributes:
        subject: Its name.
        image: The image file.
        scores: Metric name to score.
        files: What the writers wrote for it.
    """

    subject: str
    image: Path
    scores: Mapping[str, SubjectScore] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The case as plain data."""
        return {
            "subject": self.subject,
            "image": str(self.image),
            "scores": {name: _score_dict(score) for name, score in self.scores.items()},
            "files": [str(path) for path in self.files],
        }


def _score_dict(score: SubjectScore) -> dict[str, Any]:
    return {"value": as_json(score.value), "per_class": as_json(score.per_class)}


@dataclass(frozen=True, slots=True)
class EvaluateResult:
    """What :func:`vesalia.inference.evaluate.evaluate` gives back.

    Attributes:
        metrics: Metric name to its summary.
        cases: The subjects, in the order of the data list.
        files: Reports and tables, by what they are: ``report``, ``csv``, ``json`` and the v3 text files.
        output_dir: The folder that holds them.
        seconds: Wall-clock seconds the evaluation took.
        warnings: What is odd in the config and was lived with.
    """

    metrics: Mapping[str, MetricSummary]
    cases: tuple[CaseResult, ...]
    files: Mapping[str, Path]
    output_dir: Path
    seconds: float
    warnings: tuple[Fault, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, for ``--json``."""
        return {
            "metrics": {name: summary.to_dict() for name, summary in self.metrics.items()},
            "cases": [case.to_dict() for case in self.cases],
            "files": {name: str(path) for name, path in self.files.items()},
            "output_dir": str(self.output_dir),
            "seconds": round(self.seconds, 3),
            "warnings": [warning.to_dict() for warning in self.warnings],
        }


@dataclass(frozen=True, slots=True)
class InferResult:
    """What :func:`vesalia.inference.infer.infer` gives back.

    Attributes:
        cases: The subjects that were predicted, in the order of the data list.
        skipped: Subjects whose results were there already.
        output_dir: The folder that holds the predictions.
        seconds: Wall-clock seconds the inference took.
        warnings: What is odd in the config and was lived with.
        files: What the writers wrote for all subjects together, such as a table.
    """

    cases: tuple[CaseResult, ...]
    skipped: tuple[str, ...]
    output_dir: Path
    seconds: float
    warnings: tuple[Fault, ...] = ()
    files: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, for ``--json``."""
        return {
            "cases": [case.to_dict() for case in self.cases],
            "skipped": list(self.skipped),
            "files": [str(path) for path in self.files],
            "output_dir": str(self.output_dir),
            "seconds": round(self.seconds, 3),
            "warnings": [warning.to_dict() for warning in self.warnings],
        }
