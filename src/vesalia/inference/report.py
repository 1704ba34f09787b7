"""The report of an evaluation: one HTML file that a person opens, prints or sends on."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from vesalia.inference.chart import Dot, Strip, strip_chart
from vesalia.inference.classified import Classified
from vesalia.inference.classified_report import case_head, case_rows, class_table, roc_chart
from vesalia.inference.curves import learning_curves
from vesalia.inference.overlay import PREDICTION_COLOUR, TRUTH_COLOUR
from vesalia.inference.page import Cell, details, facts, page, picture, section, table, tiles
from vesalia.inference.results import CaseResult, MetricSummary, Statistics
from vesalia.runtime.files import write_text

__all__ = ["PICTURED", "ReportContent", "exemplary_cases", "render_report", "write_report"]

PICTURED = 6
"""Pictures of a classification: the worst cases."""

_NOT_A_NUMBER = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """What a report shows.

    Attributes:
        title: The archive's name.
        facts: Short facts for the top: model, data, device and the like.
        metrics: Metric name to summary.
        ranking: The metric that orders the cases; None for none.
        cases: The subjects.
        pictures: Subject to its overlay as PNG.
        failures: Subject to what was wrong with it.
        history: Entries of the training's history, for the learning curves.
        classified: What a classifier said; None for a segmentation.
        details: Heading to JSON-able data that can be unfolded: config, model card, manifest.
    """

    title: str
    facts: Mapping[str, str]
    metrics: Mapping[str, MetricSummary]
    ranking: str | None
    cases: Sequence[CaseResult]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] = ()
    classified: Classified | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def write_report(path: Path, content: ReportContent) -> Path:
    """Write the report to ``path``; the same content gives the same bytes."""
    write_text(path, render_report(content))
    return path


def render_report(content: ReportContent) -> str:
    """The report as one HTML document."""
    return page(
        f"{content.title}: evaluation",
        _header(content),
        tiles(_tiles(content)),
        _failures(content),
        section("Scores", _summary_table(content.metrics)),
        section("Classes", *_classes(content)),
        section("Distribution over the cases", _distribution(content)),
        section("Cases in pictures", *_pictures(content)),
        section("All cases", _case_table(content)),
        section("Learning curves", _curves(content)),
        section("About this evaluation", facts(content.facts)),
        *(details(title, _text(data)) for title, data in content.details.items() if data),
        "<footer>Made by Vesalia. For research; not for diagnosis.</footer>",
    )


def _classes(content: ReportContent) -> list[str]:
    said = content.classified
    if said is None:
        return []
    hint = "<p>A binary class counts as said from a probability of 0.5, one of several where it is the likeliest.</p>"
    return [roc_chart(said), hint, class_table(said)]


def exemplary_cases(cases: Sequence[CaseResult], ranking: str | None) -> dict[str, str]:
    """Which subjects stand for the best, the median and the worst result: role to subject; fewer for short lists."""
    judged = [case for case in cases if ranking and not math.isnan(case.scores[ranking].value)]
    if not judged or ranking is None:
        return {}
    ordered = sorted(judged, key=lambda case: (-case.scores[ranking].value, case.subject))
    roles = {"best": ordered[0].subject, "worst": ordered[-1].subject, "median": ordered[len(ordered) // 2].subject}
    chosen: dict[str, str] = {}
    for role in ("best", "worst", "median"):
        if roles[role] not in chosen.values():
            chosen[role] = roles[role]
    return {role: chosen[role] for role in ("best", "median", "worst") if role in chosen}


def _header(content: ReportContent) -> str:
    lead = " · ".join(filter(None, (content.facts.get("Data"), content.facts.get("Evaluated"))))
    return f"<header><p>Evaluation report</p><h1>{escape(content.title)}</h1><p>{escape(lead)}</p></header>"


def _tiles(content: ReportContent) -> dict[str, str]:
    shown = {"cases": str(len(content.cases))}
    if content.failures:
        shown["cases that failed"] = str(len(content.failures))
    if content.ranking is None:
        return shown
    overall = content.metrics[content.ranking].overall
    if content.metrics[content.ranking].is_pooled:
        return {content.ranking: _number(overall.mean), **shown}
    numbers = {
        f"{content.ranking} (mean)": _number(overall.mean),
        "median": _number(overall.median),
        "standard deviation": _number(overall.std),
        "worst case": _number(overall.minimum),
    }
    return {**numbers, **shown}


def _failures(content: ReportContent) -> str:
    if not content.failures:
        return ""
    rows = "".join(f"<li><b>{escape(name)}</b>: {escape(said)}</li>" for name, said in content.failures.items())
    return section("Cases that failed", "<p>They are not part of any number below.</p>", f'<ul class="bad">{rows}</ul>')


def _summary_table(metrics: Mapping[str, MetricSummary]) -> str:
    rows: list[list[str | Cell]] = []
    indent = []
    for name, summary in metrics.items():
        rows.append([name, *_statistics(summary.overall)])
        for label, statistics in summary.per_class.items():
            indent.append(len(rows))
            rows.append([label, *_statistics(statistics)])
    head = ["metric and class", "mean", "median", "std", "min", "max", "cases"]
    return table(head, rows, indent=indent) if rows else ""


def _statistics(of: Statistics) -> list[str]:
    return [*map(_number, (of.mean, of.median, of.std, of.minimum, of.maximum)), str(of.count)]


def _distribution(content: ReportContent) -> str:
    charts = [
        strip_chart(_strips(name, summary, content.cases), title=name)
        for name, summary in content.metrics.items()
        if not summary.is_pooled
    ]
    return f'<div class="wide">{"".join(charts)}</div>' if charts and content.cases else ""


def _strips(name: str, summary: MetricSummary, cases: Sequence[CaseResult]) -> list[Strip]:
    rows = [(case.subject, summary.row(case.scores[name])) for case in cases]
    labels = ["all classes", *summary.per_class] if summary.per_class else [name]
    return [Strip(label, tuple(_dot(who, row[index]) for who, row in rows)) for index, label in enumerate(labels)]


def _dot(subject: str, value: float) -> Dot:
    return Dot(value, f"{subject}: {_number(value)}")


def _pictures(content: ReportContent) -> list[str]:
    if content.classified is not None:
        return _worst_classified(content, content.classified)
    chosen = exemplary_cases(content.cases, content.ranking)
    if not chosen:
        chosen = {f"case {index}": case.subject for index, case in enumerate(content.cases[:3], 1)}
    figures = [_figure(role, subject, content) for role, subject in chosen.items() if subject in content.pictures]
    return [_colour_key(), *figures] if figures else []


def _worst_classified(content: ReportContent, said: Classified) -> list[str]:
    """The pictures of the subjects whose truth was thought least likely, the worst first."""
    likelihoods = said.likelihoods()
    shown = sorted((name for name in content.pictures if name in likelihoods), key=lambda name: likelihoods[name])
    figures = [_classified_figure(name, likelihoods[name], said, content.pictures[name]) for name in shown[:PICTURED]]
    note = "<p>The cases whose truth was thought least likely; the number is its probability, mean over the labels.</p>"
    return [note, f'<div class="thumbs">{"".join(figures)}</div>'] if figures else []


def _classified_figure(subject: str, likelihood: float, said: Classified, png: bytes) -> str:
    place = said.subjects.index(subject)
    true = [name for name, truth in zip(said.classes, said.truths[place], strict=True) if truth]
    likeliest = max(zip(said.probabilities[place], said.classes, strict=True))
    values = f"true: {', '.join(true) or 'none'} · likeliest: {likeliest[1]} {_number(likeliest[0])}"
    tag = f'<span class="tag">{escape(_number(likelihood))}</span>'
    caption = f"{tag}<b>{escape(subject)}</b><span>{escape(values)}</span>"
    return f"<figure><figcaption>{caption}</figcaption>{picture(png, description=subject)}</figure>"


def _colour_key() -> str:
    names = (("ground truth", TRUTH_COLOUR), ("prediction", PREDICTION_COLOUR))
    shown = "".join(f'<span><i style="background:rgb{colour}"></i>{name}</span>' for name, colour in names)
    hint = "Slices through the largest extent of the label; the patient's right (R) is on the left."
    return f'<p class="key">{shown}{hint}</p>'


def _figure(role: str, subject: str, content: ReportContent) -> str:
    case = next(case for case in content.cases if case.subject == subject)
    values = " · ".join(f"{name} {_number(score.value)}" for name, score in case.scores.items())
    caption = f'<span class="tag">{escape(role)}</span><b>{escape(subject)}</b><span>{escape(values)}</span>'
    image = picture(
        content.pictures[subject], description=f"{role}: {subject}, outlines of ground truth and prediction"
    )
    return f"<figure><figcaption>{caption}</figcaption>{image}</figure>"


def _case_table(content: ReportContent) -> str:
    if not content.cases:
        return ""
    head = ["subject"]
    metrics = {name: summary for name, summary in content.metrics.items() if not summary.is_pooled}
    for name, summary in metrics.items():
        classes = [f"{name}: {label}" if len(metrics) > 1 else label for label in summary.per_class]
        head += [name, *classes]
    said = content.classified
    head += case_head(said) if said else []
    more = case_rows(said) if said else {}
    rows: list[list[str | Cell]] = [
        [case.subject, *_case_cells(case, metrics), *more.get(case.subject, ())] for case in content.cases
    ]
    note = "<p>A class that is true has a star.</p>" if said else ""
    return note + table(head, rows, sortable=True)


def _case_cells(case: CaseResult, metrics: Mapping[str, MetricSummary]) -> list[Cell]:
    return [_cell(value) for name, summary in metrics.items() for value in summary.row(case.scores[name])]


def _cell(value: float) -> Cell:
    return Cell(_number(value), None if math.isnan(value) else float(value), bar=0 <= value <= 1)


def _curves(content: ReportContent) -> str:
    charts = learning_curves(content.history)
    return f'<div class="charts">{"".join(f"<div>{chart}</div>" for chart in charts)}</div>' if charts else ""


def _number(value: float) -> str:
    if math.isnan(value):
        return _NOT_A_NUMBER
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.4g}"


def _text(data: object) -> str:
    return data if isinstance(data, str) else json.dumps(data, indent=2, default=str, ensure_ascii=False)
