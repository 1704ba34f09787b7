"""The synthetic data set: what is in the folder, the same bytes from the same seed, and nothing half-written."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from vesalia.datatools import synthetic
from vesalia.datatools.dataset import read_dataset
from vesalia.datatools.synthetic import synthesize
from vesalia.errors import ConfigError, UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("made") / "data", cases=5, size=24, seed=7)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_is_a_decathlon_data_set(folder: Path) -> None:
    described = read_dataset(folder)
    assert described.name == "SyntheticAbdomen"
    assert described.is_ct
    assert described.class_names() == ("background", "liver", "spleen", "kidneys")
    assert (len(described.training), len(described.validation)) == (4, 1)
    assert described.licence == "CC0-1.0"
    for entry in (*described.training, *described.validation):
        assert entry.label is not None
        image, label = nib.load(folder / entry.image[0]), nib.load(folder / entry.label)
        assert isinstance(image, nib.Nifti1Image)
        assert isinstance(label, nib.Nifti1Image)
        assert image.shape == label.shape
        assert image.get_data_dtype() == np.int16
        np.testing.assert_array_equal(image.affine, label.affine)


def test_the_readme_says_what_it_is(folder: Path) -> None:
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "CC0 1.0" in text
    assert "seed 7" in text


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert bytes_of(synthesize(tmp_path / "again", cases=5, size=24, seed=7)) == bytes_of(folder)


def test_another_seed_gives_another(folder: Path, tmp_path: Path) -> None:
    other = bytes_of(synthesize(tmp_path / "other", cases=5, size=24, seed=8))
    image = "imagesTr/abdomen_001.nii.gz"
    assert other[image] != bytes_of(folder)[image]


def test_a_case_does_not_depend_on_how_many_there_are(folder: Path, tmp_path: Path) -> None:
    fewer = bytes_of(synthesize(tmp_path / "fewer", cases=2, size=24, seed=7))
    image = "imagesTr/abdomen_002.nii.gz"
    assert fewer[image] == bytes_of(folder)[image]


def test_what_is_there_already_is_left_as_it_is(folder: Path) -> None:
    before = (folder / "dataset.json").stat().st_mtime_ns
    assert synthesize(folder, cases=5, size=24, seed=7) == folder
    assert (folder / "dataset.json").stat().st_mtime_ns == before


def test_another_data_set_is_never_overwritten(folder: Path) -> None:
    before = bytes_of(folder)
    with pytest.raises(UserError, match=r"holds .*write another name"):
        synthesize(folder, cases=5, size=24, seed=9)
    assert bytes_of(folder) == before


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    synthesize(tmp_path / "data", cases=3, size=16, seed=0, progress=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("fraction", "held_out"), [(0.0, 0), (0.01, 1), (0.5, 2), (0.99, 3)])
def test_the_fraction_that_is_held_out(tmp_path: Path, fraction: float, held_out: int) -> None:
    made = synthesize(tmp_path / "data", cases=4, size=16, seed=0, validation_fraction=fraction)
    content = json.loads((made / "dataset.json").read_text(encoding="utf-8"))
    assert len(content["validation"]) == held_out
    assert len(content["training"]) == content["numTraining"] == 4 - held_out


@pytest.mark.parametrize(
    ("cases", "size", "fraction", "words"),
    [(1, 24, 0.25, "cases: found 1"), (4, 8, 0.25, "size: found 8"), (4, 24, 1.0, "validation_fraction: found 1.0")],
)
def test_arguments_out_of_range_are_refused(tmp_path: Path, cases: int, size: int, fraction: float, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        synthesize(tmp_path / "data", cases=cases, size=size, seed=0, validation_fraction=fraction)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(done: int, of: int) -> None:
        if done == of - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path / "data", cases=3, size=16, seed=0, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_names_sort_in_the_order_of_their_numbers() -> None:
    assert synthetic._name("abdomen", index=9, cases=2000) == "abdomen_0010"


def test_pictures_with_findings(tmp_path: Path) -> None:
    made = synthesize(tmp_path / "chest", cases=5, size=32, seed=7, task="classification")
    content = json.loads((made / "dataset.json").read_text())
    assert content["labels"] == {"0": "nodule", "1": "effusion", "2": "catheter"}
    entries = content["training"] + content["validation"]
    assert [len(entry["label"]) for entry in entries] == [3] * 5
    for entry in entries:
        with Image.open(made / entry["image"]) as picture:
            assert (picture.size, picture.mode) == ((32, 32), "L")
    again = synthesize(tmp_path / "again", cases=5, size=32, seed=7, task="classification")
    assert bytes_of(made) == bytes_of(again)
    assert synthesize(made, cases=5, size=32, seed=7, task="classification") == made


def test_a_task_that_nobody_draws(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="task: found 'annotation', expected one of segmentation, classification"):
        synthesize(tmp_path / "x", cases=2, size=24, seed=1, task="annotation")
