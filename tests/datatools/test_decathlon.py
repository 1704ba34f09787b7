"""Decathlon data sets, as published ones write them and as people mistype them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vesalia.datatools.decathlon import describe_decathlon, is_decathlon
from vesalia.errors import DataError

FILE = Path("/data/Task/dataset.json")
ENTRY = {"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}


def content(**changes: Any) -> dict[str, Any]:
    plain = {
        "name": "Task",
        "labels": {"0": "background", "1": "liver"},
        "modality": {"0": "CT"},
        "training": [ENTRY] * 10,
    }
    return {**plain, **changes}


def test_only_listed_files_make_it_one() -> None:
    assert is_decathlon(content())
    assert not is_decathlon({"training": {}, "file_ending": ".nii.gz"})


def test_paths_lose_their_prefix() -> None:
    entry = describe_decathlon(FILE, content()).training[0]
    assert (entry.image, entry.label) == (("imagesTr/a.nii.gz",), "labelsTr/a.nii.gz")


def test_a_fifth_is_held_out_where_no_list_is_given() -> None:
    described = describe_decathlon(FILE, content())
    assert (len(described.training), len(described.validation)) == (8, 2)


def test_a_validation_list_is_kept() -> None:
    described = describe_decathlon(FILE, content(validation=[ENTRY]))
    assert (len(described.training), len(described.validation)) == (10, 1)


def test_test_images_are_plain_paths_or_objects() -> None:
    described = describe_decathlon(FILE, content(test=["./imagesTs/b.nii.gz", {"image": ["c.nii.gz", "d.nii.gz"]}]))
    assert [entry.image for entry in described.test] == [("imagesTs/b.nii.gz",), ("c.nii.gz", "d.nii.gz")]


@pytest.mark.parametrize(
    ("modality", "names"),
    [
        ({"0": "FLAIR", "10": "c", "2": "T2"}, ("FLAIR", "T2", "c")),
        (["T1", "T2"], ("T1", "T2")),
        ("CT", ("CT",)),
        (None, ("unknown",)),
    ],
)
def test_modality_in_all_its_forms(modality: object, names: tuple[str, ...]) -> None:
    assert describe_decathlon(FILE, content(modality=modality)).modality == names


def test_texts_are_optional_and_may_be_of_the_wrong_kind() -> None:
    described = describe_decathlon(FILE, content(name=None, license="CC0", description=3, reference="there"))
    assert (described.name, described.licence, described.about, described.reference) == ("Task", "CC0", "", "there")


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"training": []}, "training"),
        ({"training": [3]}, "training[0]"),
        ({"training": [{"image": ""}]}, "training[0]"),
        ({"training": [{"image": []}]}, "training[0]"),
        ({"training": [{"image": "a.nii.gz", "label": 1}]}, "training[0]"),
        ({"training": ["a.nii.gz"]}, "training[0].label"),
        ({"validation": "none"}, "validation"),
        ({"labels": {}}, "labels"),
    ],
)
def test_each_mistake_is_found_at_its_key(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(DataError) as caught:
        describe_decathlon(FILE, content(**changes))
    assert [fault.key for fault in caught.value.faults] == [key]
    assert caught.value.faults[0].file == str(FILE)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(DataError) as caught:
        describe_decathlon(FILE, content(training=[3, ENTRY, 4], labels=None, test=7))
    assert [fault.key for fault in caught.value.faults] == ["training[0]", "training[2]", "test", "labels"]
