"""Label vectors against their format: length, values, files where numbers should be."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from vesalia.errors import DataError
from vesalia.pipelines.datalist import DataItem, DataList
from vesalia.pipelines.label_vectors import require_vectors, vector_fault


def item(*numbers: float) -> DataItem:
    return DataItem("chest", {"image": (Path("chest.png"),)}, {}, {"label": numbers})


@pytest.mark.parametrize(("label", "label_format"), [((0, 1), (1, 1)), ((0.5, 3), (1, 4)), ((0,), (3,))])
def test_what_fits(label: tuple[float, ...], label_format: tuple[int, ...]) -> None:
    assert vector_fault(item(*label), label_format, where="list") is None


@pytest.mark.parametrize(
    ("label", "label_format", "message"),
    [
        ((0, 1, 1), (1, 1), "chest.label: found 3 numbers, expected 2"),
        ((0, 2), (1, 1), r"chest.label\[1\]: found 2, expected 0 or 1"),
        ((0, -0.5), (1, 1), r"chest.label\[1\]: found -0.5"),
        ((3,), (3,), r"chest.label\[0\]: found 3, expected a whole number from 0 to 2"),
        ((0.5,), (3,), r"chest.label\[0\]: found 0.5, expected a whole number"),
    ],
)
def test_what_does_not_fit(label: tuple[float, ...], label_format: tuple[int, ...], message: str) -> None:
    listed = DataList(Path("list.json"), "training", (item(*label),))
    with pytest.raises(DataError, match=message):
        require_vectors(listed, label_format)


@pytest.mark.parametrize(("files", "found"), [({"label": (Path("a.nii"),)}, "a file"), ({}, "no label")])
def test_a_label_that_is_no_vector(files: dict[str, tuple[Path, ...]], found: str) -> None:
    fault = vector_fault(DataItem("chest", files, {}), (1, 1), where="list")
    assert fault is not None
    assert (fault.found, fault.write) == (found, '"label": [0, 0]')


def test_beyond_the_first_ten_faults_are_counted() -> None:
    listed = DataList(Path("list.json"), "training", (item(5),) * 12)
    with pytest.raises(DataError, match="12 labels do not fit, here are the first 10, and 2 more") as caught:
        require_vectors(listed, (1,))
    assert len(caught.value.faults) == 10


def test_without_a_format_nothing_is_judged() -> None:
    require_vectors(DataList(Path("list.json"), "training", (item(5),)), None)
