"""From a finished subject to scores, and from scores to summaries."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.components.metrics.base import Metric, SubjectFields, SubjectScore, key_metric
from vesalia.imaging.volume import Sample, Volume
from vesalia.inference.results import MetricSummary, Statistics

__all__ = ["class_labels", "field_tensors", "ranking_metric", "score_subject", "summarise"]


def field_tensors(sample: Sample) -> SubjectFields:
    """The fields of ``sample`` as metrics read them: ``[C, D, H, W]`` on the CPU."""
    volumes = sample.fields.items()
    spacing_mm = {name: volume.spacing_mm for name, volume in volumes}
    return SubjectFields({name: _one(volume).cpu() for name, volume in volumes}, spacing_mm=spacing_mm)


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
    if metric.is_pooled:
        return _pooled(metric, class_names)
    overall = Statistics.of([score.value for score in metric.scores])
    width = max((len(score.per_class) for score in metric.scores), default=0)
    width = width if width > 1 else 0
    columns = [[s.per_class[i] for s in metric.scores if i < len(s.per_class)] for i in range(width)]
    labels = class_labels(width, class_names)
    return MetricSummary(
        metric.name, overall, {name: Statistics.of(c) for name, c in zip(labels, columns, strict=True)}
    )


def _pooled(metric: Metric, class_names: Sequence[str]) -> MetricSummary:
    """The one value of a metric that judges all subjects together, and one per class."""
    count = len(metric.scores)
    values = metric.per_class()
    named = zip(class_labels(len(values), class_names), values, strict=True) if len(values) > 1 else ()
    per_class = {name: Statistics.pooled(value, count=count) for name, value in named}
    return MetricSummary(metric.name, Statistics.pooled(metric.compute(), count=count), per_class, is_pooled=True)


def ranking_metric(metrics: Sequence[Metric]) -> str | None:
    """The metric that says which case is best and which worst: the key metric, or else the first that can."""
    chosen = key_metric(metrics)
    return None if chosen is None else chosen.name
