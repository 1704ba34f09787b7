"""Score files: v3's texts, the table and the JSON hold the same numbers."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import json
import math
from pathlib import Path

from vesalia.components.metrics.base import SubjectScore
from vesalia.inference.classified import Classified
from vesalia.inference.results import CaseResult, MetricSummary, Statistics
from vesalia.inference.score_files import write_csv, write_scores_json, write_v3_texts

CASES = [
    CaseResult("a", Path("/d/a.nii.gz"), {"dice": SubjectScore("a", 0.5, (0.25, 0.75))}),
    CaseResult("b, c", Path("/d/b, c.nii.gz"), {"dice": SubjectScore("b, c", math.nan, (math.nan, math.nan))}),
]
SUMMARY = MetricSummary(
    "dice", Statistics.of([0.5, math.nan]), {"head": Statistics.of([0.25]), "tail": Statistics.of([0.75])}
)


def test_v3_texts(tmp_path: Path) -> None:
    raw, summary = write_v3_texts(tmp_path, SUMMARY, cases=CASES)
    assert raw.name == "dice_raw_results.txt"
    assert raw.read_text().splitlines() == [
        "file\tdice\thead\ttail",
        "/d/a.nii.gz\t0.500000\t0.250000\t0.750000",
        "/d/b, c.nii.gz\tnan\tnan\tnan",
    ]
    assert summary.name == "dice_summary_results.txt"
    lines = [line.split("\t") for line in summary.read_text().splitlines()]
    assert lines[0] == ["", "mean", "median", "std", "min", "max", "n"]
    assert lines[1] == ["dice", "0.500000", "0.500000", "0.000000", "0.500000", "0.500000", "1"]
    assert [line[0] for line in lines[2:]] == ["head", "tail"]


def test_a_metric_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    summary = MetricSummary("../../x y", Statistics.of([]))
    raw, _ = write_v3_texts(tmp_path / "deep", summary, cases=[])
    assert raw.parent == tmp_path / "deep"
    assert raw.name == ".._.._x_y_raw_results.txt"


def test_csv_has_empty_cells_where_nothing_was_judged(tmp_path: Path) -> None:
    short = CaseResult("d", Path("d.nii"), {"dice": SubjectScore("d", 1.0)})
    path = write_csv(tmp_path / "metrics.csv", {"dice": SUMMARY}, cases=[*CASES, short])
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows[0] == ["subject", "image", "dice", "dice: head", "dice: tail"]
    assert rows[1] == ["a", "/d/a.nii.gz", "0.5", "0.25", "0.75"]
    assert rows[2] == ["b, c", "/d/b, c.nii.gz", "", "", ""]
    assert rows[3] == ["d", "d.nii", "1.0", "", ""]


def test_json_is_strict_and_repeatable(tmp_path: Path) -> None:
    paths = [
        write_scores_json(tmp_path / name, {"dice": SUMMARY}, cases=CASES, facts={"archive": "x"}) for name in "ab"
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    data = json.loads(paths[0].read_text(), parse_constant=lambda text: text)
    assert data["archive"] == "x"
    assert data["metrics"]["dice"]["n"] == 1
    assert data["cases"][1]["scores"]["dice"]["value"] is None


def test_a_pooled_metric_lists_what_it_was_judged_by(tmp_path: Path) -> None:
    per_class = {name: Statistics.pooled(0.5, count=2) for name in ("x", "y")}
    summary = MetricSummary("auc", Statistics.pooled(0.75, count=2), per_class, is_pooled=True)
    score = SubjectScore("a", math.nan, pooled=(0.25, 0.5, 1.0, 0.0))
    case = CaseResult("a", Path("/a.png"), {"auc": score})
    raw, _ = write_v3_texts(tmp_path, summary, cases=[case])
    assert raw.read_text().splitlines() == [
        "file\tx\ty\tx (truth)\ty (truth)",
        "/a.png\t0.250000\t0.500000\t1.000000\t0.000000",
    ]
    said = Classified(("x", "y"), (1, 1), ("a",), ((0.25, 0.5),), ((True, False),))
    table = write_csv(tmp_path / "m.csv", {"auc": summary}, cases=[case], said=said)
    assert table.read_text() == "subject,image,x,y,x (truth),y (truth)\na,/a.png,0.25,0.5,1,0\n"


def test_a_pooled_metric_without_names_for_its_channels(tmp_path: Path) -> None:
    summary = MetricSummary("auc", Statistics.pooled(0.75, count=1), is_pooled=True)
    case = CaseResult("a", Path("/a.png"), {"auc": SubjectScore("a", math.nan, pooled=(0.25, 1.0))})
    raw, _ = write_v3_texts(tmp_path, summary, cases=[case])
    assert raw.read_text().splitlines()[0] == "file\tauc\tauc (truth)"
