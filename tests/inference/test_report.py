"""The report: all that was found is in it, escaped, and the same each time."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from vesalia.components.metrics.base import SubjectScore
from vesalia.inference.classified import Classified
from vesalia.inference.report import ReportContent, exemplary_cases, render_report, write_report
from vesalia.inference.results import CaseResult, MetricSummary, Statistics


def cases(values: Sequence[float]) -> list[CaseResult]:
    return [
        CaseResult(f"case_{i}", Path(f"case_{i}.nii"), {"dice": SubjectScore(f"case_{i}", value, (value, math.nan))})
        for i, value in enumerate(values)
    ]


def content(values: Sequence[float] = (0.8, 0.9, math.nan, 0.7, 0.75), title: str = "spleen") -> ReportContent:
    judged = cases(values)
    per_class = {"spleen": Statistics.of(values), "tail": Statistics.of([math.nan])}
    return ReportContent(
        title=title,
        facts={"Data": "5 cases", "Device": "cpu"},
        metrics={"dice": MetricSummary("dice", Statistics.of(values), per_class)},
        ranking="dice",
        cases=judged,
        pictures={case.subject: f"picture of {case.subject}".encode() for case in judged},
        failures={"case_9": "case_9.nii: found damaged gzip data"},
        history=[{"kind": "epoch", "step": s, "loss": 1 / s, "learning_rate": 0.1} for s in (1, 2, 3)],
        details={"Config": {"epochs": 3, "note": "</pre><script>"}, "Empty": None},
    )


class Balance(HTMLParser):
    """Counts what is open; void elements and SVG's short form aside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open and closed at once."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_document_is_balanced() -> None:
    balance = Balance()
    balance.feed(render_report(content()))
    assert balance.open == []


def test_everything_is_in_it() -> None:
    made = render_report(content())
    for text in (
        "spleen",
        "0.7875",
        "case_3",
        "found damaged gzip data",
        "Training loss",
        "&quot;epochs&quot;: 3",
        "cpu",
    ):
        assert text in made
    assert "Empty" not in made


def test_best_median_and_worst_are_pictured() -> None:
    made = render_report(content())
    assert made.count("<img") == 3
    order = [made.index(f'<span class="tag">{role}</span>') for role in ("best", "median", "worst")]
    assert order == sorted(order)


def test_exemplary_cases() -> None:
    assert exemplary_cases(cases([0.8, 0.9, math.nan, 0.7, 0.75]), "dice") == {
        "best": "case_1",
        "median": "case_4",
        "worst": "case_3",
    }
    assert exemplary_cases(cases([0.8, 0.9]), "dice") == {"best": "case_1", "worst": "case_0"}
    assert exemplary_cases(cases([0.8]), "dice") == {"best": "case_0"}
    assert exemplary_cases(cases([math.nan]), "dice") == {}
    assert exemplary_cases(cases([0.8]), None) == {}


def test_cases_that_cannot_be_ranked_are_still_pictured() -> None:
    assert render_report(content([math.nan, math.nan])).count("<img") == 2


def test_hostile_names_are_escaped() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    made = render_report(content(title=hostile))
    assert hostile not in made
    assert "</pre><script>" not in made


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_report(tmp_path / name, content()) for name in ("a.html", "b.html"))
    assert one.read_bytes() == two.read_bytes()


def test_a_report_without_metrics_or_cases() -> None:
    empty = ReportContent(title="t", facts={}, metrics={}, ranking=None, cases=[])
    made = render_report(empty)
    assert "<table" not in made
    assert "<b>0</b><span>cases</span>" in made


def classified(count: int) -> ReportContent:
    names = tuple(f"chest_{number}" for number in range(count))
    said = Classified(
        ("nodule", "line"), (1, 1), names, tuple((n / 10, 0.5) for n in range(count)), ((True, False),) * count
    )
    summary = MetricSummary("auc", Statistics.pooled(0.75, count=count), is_pooled=True)
    judged = [CaseResult(name, Path(f"{name}.png"), {"auc": SubjectScore(name, math.nan)}) for name in names]
    return ReportContent(
        title="chest",
        facts={},
        metrics={"auc": summary},
        ranking="auc",
        cases=judged,
        pictures={name: name.encode() for name in names},
        classified=said,
    )


def test_a_classification_shows_its_classes_and_its_worst_cases() -> None:
    text = render_report(classified(9))
    assert all(word in text for word in ("<b>0.7500</b><span>auc</span>", "sensitivity", "probability of the truth"))
    assert text.count("<figure>") == 6
    places = [text.index(f"<b>chest_{n}</b>") for n in range(6)]
    assert places == sorted(places)
    assert "true: nodule · likeliest: line 0.5000" in text
    balance = Balance()
    balance.feed(text)
    assert balance.open == []


def test_a_classification_without_pictures() -> None:
    assert "<figure>" not in render_report(replace(classified(2), pictures={}))
