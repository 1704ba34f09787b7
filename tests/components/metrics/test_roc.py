"""The ROC curve: areas against a count of all pairs, points by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.components.metrics.roc import Scores, Truths, area, averaged_area, curve


def pairs_counted(scores: Scores, truths: Truths) -> float:
    """The area as its definition has it: every positive against every negative."""
    positives, negatives = scores[truths], scores[~truths]
    if not len(positives) or not len(negatives):
        return math.nan
    above = (positives[:, None] > negatives[None]).mean()
    return float(above + (positives[:, None] == negatives[None]).mean() / 2)


rows = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.5 + 1e-12, 0.9, 1.0]), st.booleans()), min_size=1)


@given(rows)
def test_area_counts_all_pairs(row: list[tuple[float, bool]]) -> None:
    scores, truths = np.array([s for s, _ in row]), np.array([t for _, t in row])
    np.testing.assert_allclose(area(scores, truths), pairs_counted(scores, truths), atol=1e-12)


@given(rows)
def test_area_is_what_lies_under_the_curve(row: list[tuple[float, bool]]) -> None:
    scores, truths = [s for s, _ in row], [t for _, t in row]
    points = np.array(curve(scores, truths))
    expected = area(np.array(scores), np.array(truths))
    if not len(points):
        assert math.isnan(expected)
        return
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    heights = (points[1:, 1] + points[:-1, 1]) / 2
    np.testing.assert_allclose((heights * np.diff(points[:, 0])).sum(), expected, atol=1e-12)


def test_a_large_area_is_exact() -> None:
    dice = np.random.default_rng(1)
    scores, truths = dice.integers(0, 40, 1500) / 40, dice.random(1500) < 0.2
    assert area(scores, truths) == pytest.approx(pairs_counted(scores, truths), abs=1e-12)


def test_curve_by_hand() -> None:
    assert curve([0.9, 0.8, 0.8, 0.1], [True, True, False, False]) == [(0, 0), (0, 0.5), (0.5, 1), (1, 1)]


SCORES = np.array([[0.9, 0.5, 0.1], [0.2, 0.4, 0.3], [0.6, 0.6, 0.2], [0.1, 0.7, 0.3]])
TRUTHS = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 1, 0]], dtype=bool)


def test_averages_by_hand() -> None:
    one, other = 0.5, 2 / 3
    assert averaged_area(SCORES, TRUTHS, average="macro") == pytest.approx((one + other) / 2)
    assert averaged_area(SCORES, TRUTHS, average="none") == pytest.approx((one + other) / 2)
    assert averaged_area(SCORES, TRUTHS, average="weighted") == pytest.approx((2 * one + 3 * other) / 5)
    assert averaged_area(SCORES, TRUTHS, average="micro") == pytest.approx(
        pairs_counted(SCORES.ravel(), TRUTHS.ravel())
    )


@pytest.mark.parametrize("average", ["macro", "weighted", "micro"])
def test_nothing_to_judge(average: str) -> None:
    assert math.isnan(averaged_area(SCORES, np.zeros_like(TRUTHS), average=average))
