"""nnU-Net raw data sets: files are found by their names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.datatools.datasets import nnunet
from vesalia.datatools.description import DatasetDescription
from vesalia.datatools.nnunet import describe_nnunet, is_nnunet
from vesalia.errors import DataError


def describe(folder: Path, **changes: Any) -> DatasetDescription:
    file = folder / "dataset.json"
    return describe_nnunet(file, {**json.loads(file.read_text(encoding="utf-8")), **changes})


def test_it_is_known_by_its_keys() -> None:
    assert is_nnunet({"channel_names": {"0": "CT"}, "file_ending": ".nii.gz"})
    assert not is_nnunet({"training": []})


def test_channels_become_lists_of_files(tmp_path: Path) -> None:
    described = describe(nnunet(tmp_path))
    assert described.modality == ("T1", "T2")
    assert described.labels == {0: "background", 1: "tumour"}
    everyone = [*described.training, *described.validation]
    assert (len(described.training), len(described.validation), len(described.test)) == (4, 1, 1)
    for entry in everyone:
        assert entry.label is not None
        case = entry.label.removeprefix("labelsTr/").removesuffix(".nii.gz")
        assert entry.image == (f"imagesTr/{case}_0000.nii.gz", f"imagesTr/{case}_0001.nii.gz")
    assert described.test[0].label is None


def test_more_than_ten_channels_keep_their_order(tmp_path: Path) -> None:
    described = describe(nnunet(tmp_path, cases=2, channels=11, test_cases=0))
    assert described.modality == tuple(f"T{number}" for number in range(1, 12))
    assert described.test == ()


def test_names_are_taken_over(tmp_path: Path) -> None:
    described = describe(nnunet(tmp_path), name="Dataset001_Brain", license="MIT", description="heads", reference="r")
    assert (described.name, described.licence, described.about, described.reference) == (
        "Dataset001_Brain", "MIT", "heads", "r",
    )  # fmt: skip


def test_hidden_files_are_not_looked_at(tmp_path: Path) -> None:
    folder = nnunet(tmp_path)
    (folder / "imagesTr" / "._brain_9_0000.nii.gz").touch()
    assert len(describe(folder).training) == 4


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    folder = nnunet(tmp_path)
    (folder / "imagesTr" / "odd.nii.gz").touch()
    (folder / "imagesTr" / "brain_1_0001.nii.gz").unlink()
    (folder / "labelsTr" / "brain_2.nii.gz").unlink()
    with pytest.raises(DataError) as caught:
        describe(folder)
    told = {Path(fault.file).name: fault for fault in caught.value.faults}
    assert set(told) == {"odd.nii.gz", "brain_1", "brain_2.nii.gz"}
    assert told["odd.nii.gz"].write == "odd_0000.nii.gz"
    assert "2 channels" in told["brain_1"].expected
    assert "imagesTs" in told["brain_2.nii.gz"].write


def test_no_images_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no images"):
        describe(nnunet(tmp_path, cases=0, test_cases=0))


def test_other_formats_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"file_ending: found '.png'"):
        describe(nnunet(tmp_path), file_ending=".png")
