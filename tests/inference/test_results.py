"""Results: statistics that leave out what could not be judged, and plain data without NaN."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.components.metrics.base import SubjectScore
from vesalia.inference.results import (
    CaseResult,
    EvaluateResult,
    InferResult,
    MetricSummary,
    Statistics,
)

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=20)


@given(SCORES, st.integers(0, 5))
def test_statistics_leave_nan_out(values: list[float], holes: int) -> None:
    found = Statistics.of([*values, *[math.nan] * holes])
    assert found.count == len(values)
    assert found.mean == pytest.approx(statistics.fmean(values))
    assert found.median == pytest.approx(statistics.median(values))
    assert found.std == pytest.approx(statistics.stdev(values), abs=1e-9)
    assert (found.minimum, found.maximum) == (min(values), max(values))


def test_statistics_of_nothing_and_of_one() -> None:
    nothing = Statistics.of([math.nan])
    assert nothing.count == 0
    assert nothing.to_dict() == dict.fromkeys(["mean", "median", "std", "min", "max"]) | {"n": 0}
    assert Statistics.of([0.5]).std == 0


def test_results_are_strict_json(tmp_path: Path) -> None:
    case = CaseResult("a", Path("a.nii.gz"), {"dice": SubjectScore("a", math.nan, (0.5, math.nan))}, (Path("o.nii"),))
    summary = MetricSummary("dice", Statistics.of([math.nan]), {"head": Statistics.of([0.5])})
    result = EvaluateResult({"dice": summary}, (case,), {"csv": tmp_path / "m.csv"}, tmp_path, 1.23456)
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["metrics"]["dice"]["mean"] is None
    assert data["metrics"]["dice"]["per_class"]["head"]["mean"] == 0.5
    assert data["cases"][0]["scores"]["dice"] == {"value": None, "per_class": [0.5, None]}
    assert data["seconds"] == 1.235
    inferred = InferResult((case,), ("b",), tmp_path, 2.0).to_dict()
    assert inferred["skipped"] == ["b"]
    assert inferred["cases"][0]["files"] == ["o.nii"]


def test_a_row_has_a_value_for_every_class_of_the_summary() -> None:
    nothing = Statistics.of([])
    two = MetricSummary("dice", nothing, {"head": nothing, "tail": nothing})
    assert two.row(SubjectScore("a", 0.5, (0.25, 0.75))) == [0.5, 0.25, 0.75]
    assert two.row(SubjectScore("a", 0.5, (0.25, 0.75, 1.0))) == [0.5, 0.25, 0.75]
    assert [math.isnan(value) for value in two.row(SubjectScore("a", 0.5))] == [False, True, True]
    assert MetricSummary("dice", nothing).row(SubjectScore("a", 0.5, (0.5,))) == [0.5]
