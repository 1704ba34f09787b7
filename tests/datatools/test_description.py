"""Descriptions of data sets: names, classes, and splits that do not depend on chance."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.datatools.description import DatasetDescription, DatasetEntry, split


def described(*modality: str) -> DatasetDescription:
    labels = {0: "background", 1: "liver", 4: "vessel"}
    return DatasetDescription("Any", Path("/data"), Path("/data/dataset.json"), modality, labels, ())


def test_an_entry_is_written_as_data_lists_have_it() -> None:
    assert DatasetEntry(("a.nii.gz",), "b.nii.gz").to_dict() == {"image": "a.nii.gz", "label": "b.nii.gz"}
    assert DatasetEntry(("a.nii.gz", "b.nii.gz")).to_dict() == {"image": ["a.nii.gz", "b.nii.gz"]}


@pytest.mark.parametrize(
    ("modality", "is_ct"),
    [(("CT",), True), (("ct angio",), True), (("MRI",), False), (("CT", "PET"), False), ((), False)],
)
def test_ct_is_known_by_its_name(modality: tuple[str, ...], is_ct: bool) -> None:
    assert described(*modality).is_ct is is_ct


def test_values_without_a_name_still_count_as_classes() -> None:
    assert described("CT").num_classes == 5
    assert described("CT").class_names() == ("background", "liver", "class_2", "class_3", "vessel")


@given(count=st.integers(0, 60), fraction=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_a_split_loses_and_doubles_nothing(count: int, fraction: float, seed: int) -> None:
    entries = [DatasetEntry((str(index),)) for index in range(count)]
    training, validation = split(entries, fraction=fraction, seed=seed)
    assert sorted((*training, *validation), key=lambda entry: int(entry.image[0])) == entries
    assert list(training) == [entry for entry in entries if entry in training]
    if count > 1:
        assert training
        assert validation
    assert split(entries, fraction=fraction, seed=seed) == (training, validation)


def test_the_seed_decides_the_split() -> None:
    entries = [DatasetEntry((str(index),)) for index in range(50)]
    assert split(entries, seed=0) != split(entries, seed=1)
    assert len(split(entries)[1]) == 10
