"""From a finished subject to scores, and from scores to summaries."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.components.metrics.base import Metric, SubjectScore
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.results import MetricSummary, Statistics

__all__ = ["class_labels", "field_tensors", "ranking_metric", "score_subject", "summarise"]


def field_tensors(sample: Sample) -> dict[str, torch.Tensor]:
    """The fields of ``sample`` as metrics read them: ``[C, D, H, W]`` on the CPU."""
    return {name: _one(volume).cpu() for name, volume in sample.fields.items()}


def _one(volume: Volume) -> torch.Tensor:
    return volume.as_batch()[0]


def score_subject(metrics: Sequence[Metric], sample: Sample) -> dict[str, SubjectScore]:
    """Let every metric judge ``sample``; the scores are kept in the metrics when all of them could.

    Args:
        metrics: The metrics; each remembers the subject.
        sample: The subject, with its prediction and its label.

    Returns:
        Metric name to score.

    Raises:
        ConfigError: A metric names a field that no transform makes.
        DataError: Prediction and label cannot be compared, for one because they lie on different grids.
    """
    fields = field_tensors(sample)
    scores = [metric.score(sample.name, fields) for metric in metrics]
    for metric, score in zip(metrics, scores, strict=True):
        metric.scores.append(score)
    return {score_of.name: score for score_of, score in zip(metrics, scores, strict=True)}


def class_labels(count: int, class_names: Sequence[str]) -> tuple[str, ...]:
    """Names for ``count`` scores per class: all class names, those without the background, or ``class 1`` ..."""
    if count == len(class_names):
        return tuple(class_names)
    if count == len(class_names) - 1:
        return tuple(class_names[1:])
    return tuple(f"class {index + 1}" for index in range(count))


def summarise(metric: Metric, class_names: Sequence[str]) -> MetricSummary:
    """Statistics over the subjects that ``metric`` has judged, for each class too where it has several."""
    overall = Statistics.of([score.value for score in metric.scores])
    width = max((len(score.per_class) for score in metric.scores), default=0)
    width = width if width > 1 else 0
    columns = [[s.per_class[i] for s in metric.scores if i < len(s.per_class)] for i in range(width)]
    labels = class_labels(width, class_names)
    return MetricSummary(
        metric.name, overall, {name: Statistics.of(c) for name, c in zip(labels, columns, strict=True)}
    )


def ranking_metric(metrics: Sequence[Metric]) -> str | None:
    """The metric that says which case is best and which worst: the key metric, or else the first."""
    flagged = next((metric.name for metric in metrics if metric.is_key_metric), None)
    return flagged or next((metric.name for metric in metrics), None)
