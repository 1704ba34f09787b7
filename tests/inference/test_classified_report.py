"""The classification's part of a report."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.inference.classified import Classified
from vesalia.inference.classified_report import case_head, case_rows, class_table, roc_chart


def said(classes: int = 2, *, truths: tuple[tuple[bool, ...], ...] = ((True, False), (False, False))) -> Classified:
    names = tuple(f"class <{number}>" for number in range(classes))
    probabilities = tuple((0.25,) * classes for _ in truths)
    return Classified(names, (1,) * classes, ("a", "b"), probabilities, truths)


def test_curves_have_their_area_in_the_legend() -> None:
    chart = roc_chart(said(truths=((True, False), (False, True))))
    assert "class &lt;0&gt; (0.500)" in chart
    assert "1 - specificity" in chart


def test_no_class_that_can_be_judged() -> None:
    assert roc_chart(said(truths=((False, False), (False, False)))) == ""


def test_many_classes_show_those_told_apart_worst() -> None:
    chart = roc_chart(said(20, truths=((True,) * 20, (False,) * 20)))
    assert chart.count("<polyline") == 12


def test_the_table_of_classes() -> None:
    table = class_table(said())
    assert "class &lt;1&gt;" in table
    assert "sensitivity" in table
    assert ">-<" in table


def test_a_row_per_subject() -> None:
    found = said()
    assert case_head(found) == ["probability of the truth", "class <0>", "class <1>"]
    assert [cell.text for cell in case_rows(found)["a"]] == ["0.5000", "0.2500 *", "0.2500"]
