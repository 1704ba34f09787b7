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

from vesalia.inference.results import CaseResult, MetricSummary, Statistics
from vesalia.runtime.files import write_json, write_text

__all__ = ["write_csv", "write_scores_json", "write_v3_texts"]

_DIGITS = 6


def _number(value: float) -> str:
    return "nan" if math.isnan(value) else f"{value:.{_DIGITS}f}"


def write_v3_texts(folder: Path, summary: MetricSummary, *, cases: Sequence[CaseResult]) -> tuple[Path, Path]:
    """Write ``<metric>_raw_results.txt`` (a line per subject) and ``<metric>_summary_results.txt``.

    Columns are parted by tabs; the first line of both files names them.

    Returns:
        The raw file and the summary file.
    """
    stem = re.sub(r"[^\w.-]+", "_", summary.name)
    raw = folder / f"{stem}_raw_results.txt"
    classes = list(summary.per_class)
    lines = ["\t".join(["file", summary.name, *classes])]
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


def write_csv(path: Path, metrics: Mapping[str, MetricSummary], *, cases: Sequence[CaseResult]) -> Path:
    """Write a row per subject, a column per metric and class; an empty cell where nothing was to be judged."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    header = ["subject", "image"]
    for name, summary in metrics.items():
        header += [name, *(f"{name}: {label}" for label in summary.per_class)]
    table.writerow(header)
    for case in cases:
        cells: list[str] = [case.subject, str(case.image)]
        for name, summary in metrics.items():
            cells += ["" if math.isnan(value) else repr(float(value)) for value in summary.row(case.scores[name])]
        table.writerow(cells)
    write_text(path, stream.getvalue())
    return path


def write_scores_json(
    path: Path, metrics: Mapping[str, MetricSummary], *, cases: Sequence[CaseResult], facts: Mapping[str, Any]
) -> Path:
    """Write summaries, cases and ``facts`` (archive, model, config); nothing in it changes between equal runs."""
    scored = {name: summary.to_dict() for name, summary in metrics.items()}
    write_json(path, {**facts, "metrics": scored, "cases": [case.to_dict() for case in cases]})
    return path
