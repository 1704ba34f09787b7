"""Scores on disk: v3's text files, a table for spreadsheets, JSON for programs."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vesalia.inference.classified import Classified
from vesalia.inference.results import CaseResult, MetricSummary, Statistics
from vesalia.runtime.files import write_json, write_text

__all__ = ["write_csv", "write_scores_json", "write_v3_texts"]

_DIGITS = 6


def _number(value: float) -> str:
    return "nan" if math.isnan(value) else f"{value:.{_DIGITS}f}"


def write_v3_texts(folder: Path, summary: MetricSummary, *, cases: Sequence[CaseResult]) -> tuple[Path, Path]:
    """Write ``<metric>_raw_results.txt`` (a line per subject) and ``<metric>_summary_results.txt``.

    Columns are parted by tabs; the first line of both files names them. For a metric that judges all subjects together,
    a subject's line holds what it was judged by: a probability and a truth per class.

    Returns:
        The raw file and the summary file.
    """
    stem = re.sub(r"[^\w.-]+", "_", summary.name)
    raw = folder / f"{stem}_raw_results.txt"
    classes = list(summary.per_class)
    lines = ["\t".join(["file", summary.name, *classes])]
    if summary.is_pooled:
        columns = max((len(case.scores[summary.name].pooled) for case in cases), default=0) // 2
        named = classes if len(classes) == columns else [summary.name] * columns
        lines = ["\t".join(["file", *named, *(f"{name} (truth)" for name in named)])]
    scored = ((case.image, summary.row(case.scores[summary.name])) for case in cases)
    lines += ["\t".join([str(image), *map(_number, row)]) for image, row in scored]
    write_text(raw, "\n".join(lines) + "\n")
    short = folder / f"{stem}_summary_results.txt"
    write_text(short, "\n".join(_summary_lines(summary)) + "\n")
    return raw, short


def _summary_lines(summary: MetricSummary) -> list[str]:
    rows = {summary.name: summary.overall, **summary.per_class}
    return ["\t".join(["", *Statistics.of([]).to_dict()]), *(_summary_line(name, row) for name, row in rows.items())]


def _summary_line(name: str, row: Statistics) -> str:
    numbers = [row.mean, row.median, row.std, row.minimum, row.maximum]
    return "\t".join([name, *map(_number, numbers), str(row.count)])


def write_csv(
    path: Path,
    metrics: Mapping[str, MetricSummary],
    *,
    cases: Sequence[CaseResult],
    said: Classified | None = None,
) -> Path:
    """Write a row per subject, a column per metric and class; an empty cell where nothing was to be judged.

    Metrics that judge all subjects together have no column. What a classifier ``said`` has: per class its probability
    and the truth.
    """
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    header = ["subject", "image"]
    for name, summary in _single(metrics).items():
        header += [name, *(f"{name}: {label}" for label in summary.per_class)]
    rows = _said(said) if said else {}
    table.writerow([*header, *(_said_columns(said) if said else ())])
    for case in cases:
        cells: list[str] = [case.subject, str(case.image)]
        for name, summary in _single(metrics).items():
            cells += ["" if math.isnan(value) else repr(float(value)) for value in summary.row(case.scores[name])]
        table.writerow([*cells, *rows.get(case.subject, ())])
    write_text(path, stream.getvalue())
    return path


def _single(metrics: Mapping[str, MetricSummary]) -> dict[str, MetricSummary]:
    """The metrics that have a value per subject."""
    return {name: summary for name, summary in metrics.items() if not summary.is_pooled}


def _said_columns(said: Classified) -> list[str]:
    return [*said.classes, *(f"{name} (truth)" for name in said.classes)]


def _said(said: Classified) -> dict[str, list[str]]:
    rows = zip(said.subjects, said.probabilities, said.truths, strict=True)
    return {who: [*map(repr, found), *(str(int(truth)) for truth in truths)] for who, found, truths in rows}


def write_scores_json(
    path: Path, metrics: Mapping[str, MetricSummary], *, cases: Sequence[CaseResult], facts: Mapping[str, Any]
) -> Path:
    """Write summaries, cases and ``facts`` (archive, model, config); nothing in it changes between equal runs."""
    scored = {name: summary.to_dict() for name, summary in metrics.items()}
    write_json(path, {**facts, "metrics": scored, "cases": [case.to_dict() for case in cases]})
    return path
