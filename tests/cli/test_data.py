"""``vesalia data``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.cli.running import call


def synthesize(capsys: pytest.CaptureFixture[str], folder: Path, *more: object) -> Path:
    """Two cases, for machines; gives the data set."""
    answer = call(capsys, "data", "synthesize", folder, "--cases", 2, "--size", 24, "--json", *more)
    assert (answer.code, answer.data["cases"]) == (0, 2)
    return Path(answer.data["dataset"])


def test_a_decathlon_style_data_set(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = synthesize(capsys, tmp_path / "data")
    listed = json.loads((made / "dataset.json").read_text() if made.is_dir() else made.read_text())
    items = [*listed["training"], *listed.get("validation", [])]
    assert len(items) == 2
    assert all((tmp_path / "data" / item["image"]).exists() for item in items)


def test_the_same_seed_gives_the_same_data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        synthesize(capsys, tmp_path / name, "--seed", seed)
    images = {
        name: [path.read_bytes() for path in sorted((tmp_path / name / "imagesTr").glob("*.nii.gz"))]
        for name in ("one", "same", "other")
    }
    assert images["one"] == images["same"] != images["other"]


def test_for_people_it_tells_what_comes_next(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = call(capsys, "data", "synthesize", tmp_path / "data", "--cases", 2, "--size", 24)
    assert "vesalia new ARCHIVE --data" in answer.out


def test_a_folder_that_is_not_empty_is_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    answer = call(capsys, "data", "synthesize", tmp_path, "--json")
    assert (answer.code, answer.data["ok"]) == (2, False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def images(folder: Path, *names: str) -> Path:
    """Small NIfTI files of 2 mm."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.diag([2.0, 2, 2, 1])), folder / name)
    return folder


def test_a_tree_is_converted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = images(tmp_path / "in", "a.nii.gz", "x/b.nii.gz")
    answer = call(capsys, "data", "convert", source, tmp_path / "out", "--spacing-mm", "1,1,2", "--to", "nii", "--json")
    assert answer.code == 0
    assert [Path(path).name for path in answer.data["written"]] == ["a.nii", "b.nii"]
    assert nib.Nifti1Image.from_filename(tmp_path / "out/x/b.nii").shape == (8, 8, 4)
    again = call(capsys, "data", "convert", source, tmp_path / "out", "--to", "nii")
    assert again.out.splitlines()[-1] == f"wrote 0 images to {tmp_path / 'out'}; 2 were there before"


def test_what_could_not_be_converted_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = images(tmp_path / "in", "a.nii.gz")
    (source / "b.nii.gz").write_text("broken")
    answer = call(capsys, "data", "convert", source, tmp_path / "out", "--json")
    assert (answer.code, answer.data["error"]) == (2, "DataError")
    assert "b.nii.gz" in answer.data["message"]
    assert (tmp_path / "out/a.nii.gz").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--spacing-mm", "fine"], "--spacing-mm: found 'fine'"), (["--to", "jpg"], "--to: found 'jpg'")],
)
def test_arguments_that_are_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    answer = call(capsys, "data", "convert", images(tmp_path, "a.nii.gz"), tmp_path / "out", *arguments, "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
    assert said in answer.data["message"]
