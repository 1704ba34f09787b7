"""Class names in both ways of writing, and all that can be wrong with them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vesalia.errors import Fault
from vesalia.pipelines.label_names import class_names, labels_by_value

FILE = Path("dataset.json")


def read(labels: object) -> tuple[dict[int, str], list[Fault]]:
    faults: list[Fault] = []
    return labels_by_value(labels, file=FILE, faults=faults), faults


@pytest.mark.parametrize(
    "labels",
    [
        {"0": "background", "1": "liver", "2": "tumour"},
        {"background": 0, "liver": 1, "tumour": 2},
        {"tumour": "2", "liver": "1"},
        {"2": "tumour ", "1": " liver"},
    ],
)
def test_both_ways_of_writing(labels: dict[str, Any]) -> None:
    assert read(labels) == ({0: "background", 1: "liver", 2: "tumour"}, [])


def test_an_empty_name_gets_one() -> None:
    assert read({"1": ""})[0] == {0: "background", 1: "class_1"}


@pytest.mark.parametrize(
    ("labels", "key", "words"),
    [
        (None, "labels", "no labels"),
        ([], "labels", "[]"),
        ({"background": 0}, "labels", "only the background"),
        ({"whole": [1, 2]}, "labels.whole", "region"),
        ({"liver": 1.5}, "labels.liver", "1.5"),
        ({"liver": True}, "labels.liver", "True"),
        ({"liver": -1}, "labels.liver", "-1"),
        ({"liver": 256}, "labels.liver", "256"),
        ({"a": 1, "b": 1}, "labels.b", "another class"),
    ],
)
def test_what_is_wrong_is_said(labels: object, key: str, words: str) -> None:
    _, faults = read(labels)
    assert [fault.key for fault in faults] == [key]
    assert words in faults[0].found
    assert faults[0].write


def test_a_name_per_class() -> None:
    assert class_names({0: "background", 2: "liver", 9: "far"}, count=4) == (
        "background",
        "class_1",
        "liver",
        "class_3",
    )


def test_where_images_are_classified_the_first_label_is_a_finding() -> None:
    faults: list[Fault] = []
    found = labels_by_value({"1": "mass"}, file=FILE, faults=faults, has_background=False)
    assert (found, faults) == ({1: "mass"}, [])


def test_findings_without_names_are_numbered_from_the_first() -> None:
    assert labels_by_value(None, file=FILE, faults=[], has_background=False) == {}
