"""``nvmidl-dataconvert`` with v3's arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from nvmidl.apps.convert_medical_image import main


def convert(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Run it; gives exit code and what was said."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    said = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, said.out, said.err


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    values = np.tile(np.array([0, 7], np.uint8), 32).reshape(4, 4, 4)
    nib.save(nib.Nifti1Image(values, np.diag([2.0, 2.0, 2.0, 1.0])), tmp_path / "in" / "deep" / "a.nii.gz")
    return tmp_path / "in"


def test_the_call_of_the_notebooks(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    code, said, _ = convert(capsys, "-d", source, "-r", 1, "-s", ".nii.gz", "-e", ".nii.gz", "-o", out)
    assert (code, said.splitlines()[-1]) == (0, f"wrote 1 images to {out}")
    image = nib.Nifti1Image.from_filename(out / "deep" / "a.nii.gz")
    assert image.shape == (8, 8, 8)
    assert len(np.unique(np.asarray(image.dataobj))) > 2


def test_labels_and_a_spacing_per_axis(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["-d", source, "-r", 1, 1, 2, "-o", tmp_path / "out", "-e", ".nii", "-l", "--json"]
    code, said, _ = convert(capsys, *words)
    assert code == 0
    image = nib.Nifti1Image.from_filename(json.loads(said)["written"][0])
    assert image.shape == (8, 8, 4)
    assert np.unique(np.asarray(image.dataobj)).tolist() == [0, 7]
    again = json.loads(convert(capsys, *words)[1])
    assert (again["written"], len(again["skipped"])) == ([], 1)
    assert len(json.loads(convert(capsys, *words, "--overwrite")[1])["written"]) == 1


def test_faults_have_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = convert(capsys, "-d", tmp_path / "gone", "-o", tmp_path / "out")
    assert code == 2
    assert "found no such folder" in err


def test_both_old_names_are_commands() -> None:
    files = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for name in ("nvmidl-dataconvert", "tlt-dataconvert"):
        assert f'{name} = "nvmidl.apps.convert_medical_image:main"' in files
