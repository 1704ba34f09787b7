"""What a classifier said of each subject of an evaluation, and how that compares with the labels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vesalia.components.metrics.base import Metric
from vesalia.components.metrics.pooled import LabelMetric
from vesalia.components.metrics.roc import area, curve
from vesalia.imaging.label_heads import Heads
from vesalia.inference.scores import class_labels

__all__ = ["Classified", "Confusion", "classified", "likelihood", "likelihood_of"]

_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a class was said and was true: a binary one from 0.5 up, one of several where it is the likeliest.

    Attributes:
        name: The class.
        right_yes: Said and true.
        wrong_yes: Said and not true.
        right_no: Not said and not true.
        wrong_no: Not said and true.
        area: Area under the ROC curve; NaN where the class is never, or always, true.
    """

    name: str
    right_yes: int
    wrong_yes: int
    right_no: int
    wrong_no: int
    area: float

    @property
    def sensitivity(self) -> float:
        """The part of the true ones that was said."""
        return _share(self.right_yes, self.wrong_no)

    @property
    def specificity(self) -> float:
        """The part of the others that was not said."""
        return _share(self.right_no, self.wrong_yes)

    @property
    def precision(self) -> float:
        """The part of what was said that is true."""
        return _share(self.right_yes, self.wrong_yes)

    def to_dict(self) -> dict[str, Any]:
        """The numbers as plain data."""
        return {
            "true_positives": self.right_yes,
            "false_positives": self.wrong_yes,
            "true_negatives": self.right_no,
            "false_negatives": self.wrong_no,
        }


@dataclass(frozen=True, slots=True)
class Classified:
    """What was said of all subjects, and what is true.

    Attributes:
        classes: A name per output channel.
        heads: Channels per label.
        subjects: Names.
        probabilities: Per subject a probability per channel.
        truths: Per subject whether the channel's class is true.
    """

    classes: tuple[str, ...]
    heads: Heads
    subjects: tuple[str, ...]
    probabilities: tuple[tuple[float, ...], ...]
    truths: tuple[tuple[bool, ...], ...]

    def likelihoods(self) -> dict[str, float]:
        """Per subject the probability that was given to the truth, mean over the labels."""
        rows = zip(self.subjects, self.probabilities, self.truths, strict=True)
        return {subject: likelihood(found, truth, heads=self.heads) for subject, found, truth in rows}

    def confusions(self) -> tuple[Confusion, ...]:
        """The numbers of each class."""
        said = [_said(found, self.heads) for found in self.probabilities]
        return tuple(self._confusion(channel, [row[channel] for row in said]) for channel in range(len(self.classes)))

    def curves(self) -> dict[str, list[tuple[float, float]]]:
        """The ROC curve of each class that can be judged."""
        found = {
            name: curve([row[k] for row in self.probabilities], [row[k] for row in self.truths])
            for k, name in enumerate(self.classes)
        }
        return {name: points for name, points in found.items() if points}

    def to_dict(self) -> dict[str, Any]:
        """Numbers per class, and per subject the probability of the truth."""
        per_class = {one.name: one.to_dict() for one in self.confusions()}
        return {"classes": per_class, "probability_of_the_truth": self.likelihoods()}

    def _confusion(self, channel: int, said: Sequence[bool]) -> Confusion:
        truths = [row[channel] for row in self.truths]
        pairs = list(zip(said, truths, strict=True))
        scores = np.array([row[channel] for row in self.probabilities])
        return Confusion(
            name=self.classes[channel],
            right_yes=pairs.count((True, True)),
            wrong_yes=pairs.count((True, False)),
            right_no=pairs.count((False, False)),
            wrong_no=pairs.count((False, True)),
            area=area(scores, np.array(truths, dtype=bool)),
        )


def classified(metrics: Sequence[Metric], class_names: Sequence[str]) -> Classified | None:
    """What the first metric over label vectors was told; None where there is none, or it was told nothing."""
    metric = next((one for one in metrics if isinstance(one, LabelMetric) and one.scores), None)
    if metric is None:
        return None
    scores, truths = metric.collected()
    return Classified(
        classes=class_labels(scores.shape[1], class_names),
        heads=metric.heads,
        subjects=tuple(score.subject for score in metric.scores),
        probabilities=tuple(map(tuple, scores.tolist())),
        truths=tuple(map(tuple, truths.tolist())),
    )


def likelihood_of(subject: str, metrics: Sequence[Metric]) -> float | None:
    """The probability that was given to the truth of the subject that was judged last; None where nobody was told."""
    metric = next((one for one in metrics if isinstance(one, LabelMetric) and one.scores), None)
    if metric is None or metric.scores[-1].subject != subject:
        return None
    row = metric.scores[-1].pooled
    half = len(row) // 2
    return likelihood(row[:half], [truth > _THRESHOLD for truth in row[half:]], heads=metric.heads)


def likelihood(found: Sequence[float], truths: Sequence[bool], *, heads: Heads) -> float:
    """The probability that was given to the truth, mean over the labels; 0 for a class number that is no class."""
    parts, start = [], 0
    for width in heads:
        own = list(zip(found[start : start + width], truths[start : start + width], strict=True))
        binary = width == 1 and not own[0][1]
        parts.append(1 - own[0][0] if binary else sum(share for share, truth in own if truth))
        start += width
    return sum(parts) / len(heads)


def _said(found: Sequence[float], heads: Heads) -> list[bool]:
    said: list[bool] = []
    for width in heads:
        own = found[len(said) : len(said) + width]
        largest = own.index(max(own)) if width > 1 else 0
        said += [own[0] > _THRESHOLD] if width == 1 else [place == largest for place in range(width)]
    return said


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part + rest else math.nan
