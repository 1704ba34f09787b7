"""Data sets for a classification: a data list, or a folder per class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.datatools.pictures import class_folders, picture_list
from vesalia.datatools.labelled_pictures import Picture, read_labelled_pictures
from vesalia.errors import DataError


def test_a_folder_per_class(tmp_path: Path) -> None:
    found = read_labelled_pictures(class_folders(tmp_path / "eyes", {"sick": 10, "well": 20}, suffix=".jpg"))
    assert (found.name, found.label_format, found.names) == ("eyes", (2,), ("sick", "well"))
    assert (len(found.training), len(found.validation)) == (24, 6)
    assert [sum(each.label == (number,) for each in found.validation) for number in (0, 1)] == [2, 4]
    assert Picture(("well/well_3.jpg",), (1.0,)) in {*found.training, *found.validation}


@pytest.mark.parametrize(
    ("labels", "more", "widths", "names"),
    [
        ([[0, 1], [1, 0.5]], {}, (1, 1), ("class_0", "class_1")),
        ([[0, 2], [1, 0]], {"labels": {"0": "nodule"}}, (1, 3), ("nodule", "class_1", "class_2", "class_3")),
        ([0, 1], {"labels": {"0": "well", "1": "sick"}}, (2,), ("well", "sick")),
        ([0, 1], {"labels": {"0": "sick"}}, (1,), ("sick",)),
    ],
)
def test_what_the_numbers_of_a_list_mean(
    tmp_path: Path, labels: list[Any], more: dict[str, Any], widths: tuple[int, ...], names: tuple[str, ...]
) -> None:
    found = read_labelled_pictures(picture_list(tmp_path, labels, **more))
    assert (found.label_format, found.names) == (widths, names)
    assert (len(found.training), len(found.validation)) == (1, 1)


def test_a_list_keeps_its_own_parts(tmp_path: Path) -> None:
    held_out = [{"image": ["0.png", "1.png"], "label": [1]}]
    folder = picture_list(tmp_path, [[0], [1]], name="Ours", validation=held_out, test=["1.png"])
    found = read_labelled_pictures(folder / "dataset.json")
    assert found.data_list() == {
        "name": "Ours",
        "labels": {"0": "class_0"},
        "training": [{"image": "0.png", "label": [0]}, {"image": "1.png", "label": [1]}],
        "validation": held_out,
        "test": [{"image": "1.png"}],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "found a JSON list, expected a dataset.json whose entries"),
        ({"training": []}, "training: found no pictures"),
        ({"training": {}}, "training: found a dict"),
        ({"training": ["a.png"]}, r"training\[0\]: found 'a.png', expected a picture and the numbers"),
        ({"training": [{"image": "a.png", "label": "b.png"}]}, r"training\[0\]: found"),
        ({"training": [{"image": 3, "label": 1}]}, r"training\[0\]: found"),
        ({"training": [{"image": "a", "label": 1}, {"image": "b", "label": [1, 0]}]}, "labels of 1 and 2 numbers"),
        ({"training": [{"image": "a", "label": 1}]}, "found 1 pictures, expected two or more"),
    ],
)
def test_lists_that_are_refused(tmp_path: Path, content: object, message: str) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        read_labelled_pictures(tmp_path)


def test_what_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found 1 folders with pictures"):
        read_labelled_pictures(class_folders(tmp_path / "one", {"only": 2}))
    with pytest.raises(DataError, match="found no such file"):
        read_labelled_pictures(tmp_path / "gone")
