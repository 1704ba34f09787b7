"""Receiver operating characteristic: the area under it by ranks, and the points of the curve."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

__all__ = ["AVERAGES", "area", "averaged_area", "curve"]

AVERAGES = ("macro", "micro", "weighted", "none")

Scores = npt.NDArray[np.float64]
Truths = npt.NDArray[np.bool_]


def area(scores: Scores, truths: Truths) -> float:
    """The probability that a random positive has a higher score than a random negative; ties count half.

    The Mann-Whitney statistic by ranks: exact, in n log n. NaN where there is no positive or no negative.
    """
    positives = int(truths.sum())
    negatives = len(truths) - positives
    if not positives or not negatives:
        return math.nan
    above = float(rankdata(scores)[truths].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def averaged_area(scores: Scores, truths: Truths, *, average: str) -> float:
    """The area over several classes, ``[items, classes]``; NaN where no class can be judged.

    Args:
        scores: What was predicted.
        truths: What is true.
        average: ``macro`` and ``none``: the mean over the classes; ``weighted``: weighted by their positives;
            ``micro``: all pairs of item and class in one. Classes without a positive or a negative are left out,
            but not of ``micro``.
    """
    if average == "micro":
        return area(scores.ravel(), truths.ravel())
    areas = np.array([area(scores[:, k], truths[:, k]) for k in range(scores.shape[1])])
    known = ~np.isnan(areas)
    if not known.any():
        return math.nan
    weights = truths.sum(axis=0)[known] if average == "weighted" else np.ones(int(known.sum()))
    return float(np.average(areas[known], weights=weights))


def curve(scores: Sequence[float], truths: Sequence[bool]) -> list[tuple[float, float]]:
    """The curve as (1 - specificity, sensitivity) from (0, 0) to (1, 1), a point per distinct score.

    Empty where there is no positive or no negative.
    """
    score, truth = np.asarray(scores, dtype=np.float64), np.asarray(truths, dtype=bool)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return []
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    right = np.cumsum(truth[order])[last_of_ties] / positives
    wrong = np.cumsum(~truth[order])[last_of_ties] / negatives
    return [(0.0, 0.0), *zip(wrong.tolist(), right.tolist(), strict=True)]
