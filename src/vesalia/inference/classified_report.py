"""The parts of a report that a classification has: ROC curves, numbers per class, and a row per subject."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

from vesalia.inference.chart import Series, line_chart
from vesalia.inference.classified import Classified
from vesalia.inference.page import Cell, table

__all__ = ["case_head", "case_rows", "class_table", "roc_chart"]

_MOST_CURVES = 12


def roc_chart(said: Classified) -> str:
    """The ROC curves; of many classes those that are told apart worst. Empty where no class can be judged."""
    areas = {one.name: one.area for one in said.confusions() if not math.isnan(one.area)}
    curves = said.curves()
    chosen = sorted(sorted(curves, key=lambda name: areas[name])[:_MOST_CURVES], key=list(curves).index)
    series = [Series(f"{name} ({areas[name]:.3f})", tuple(curves[name])) for name in chosen]
    if not series:
        return ""
    title = "ROC: sensitivity, and the area below it"
    return f'<div class="wide">{line_chart(series, title=title, x_label="1 - specificity")}</div>'


def class_table(said: Classified) -> str:
    """Per class: how often it was said and true, and the rates that follow."""
    head = ["class", "area", "sensitivity", "specificity", "precision"]
    head += ["true positives", "false positives", "true negatives", "false negatives"]
    rows: list[list[str | Cell]] = []
    for one in said.confusions():
        rates = [_cell(value) for value in (one.area, one.sensitivity, one.specificity, one.precision)]
        rows.append([one.name, *rates, *map(_count, one.to_dict().values())])
    return table(head, rows, sortable=True)


def case_head(said: Classified) -> list[str]:
    """The names of a subject's columns."""
    return ["probability of the truth", *said.classes]


def case_rows(said: Classified) -> dict[str, list[Cell]]:
    """Per subject its columns: the probability of the truth, then that of each class, with a star where it is true."""
    likelihoods = said.likelihoods()
    rows = zip(said.subjects, said.probabilities, said.truths, strict=True)
    return {who: [_cell(likelihoods[who]), *map(_said, found, truths)] for who, found, truths in rows}


def _said(value: float, truth: bool) -> Cell:
    return Cell(f"{value:.4f}{' *' if truth else ''}", value, bar=True)


def _cell(value: float) -> Cell:
    return Cell("-") if math.isnan(value) else Cell(f"{value:.4f}", value, bar=True)


def _count(value: int) -> Cell:
    return Cell(str(value), float(value))
