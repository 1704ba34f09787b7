"""``vesalia infer``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tests.cli.running import call


def test_one_image_into_a_folder(
    capsys: pytest.CaptureFixture[str], trained: Path, balls: Path, tmp_path: Path
) -> None:
    image = balls.parent / "imagesTr" / "case_5.nii.gz"
    answer = call(capsys, "infer", trained, image, "-o", tmp_path / "out", "--json", "--device", "cpu")
    assert answer.code == 0
    assert answer.out.count("\n") == 1
    (case,) = answer.data["cases"]
    (written,) = case["files"]
    assert Path(written).is_relative_to(tmp_path / "out")
    before, after = nib.Nifti1Image.from_filename(image), nib.Nifti1Image.from_filename(written)
    np.testing.assert_array_equal(after.affine, before.affine)
    assert after.shape == before.shape


def test_the_data_list_where_no_image_is_given(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "infer", trained, "--device", "cpu")
    assert answer.code == 0
    written = [line for line in answer.out.splitlines() if line.endswith(".nii.gz")]
    assert len(written) == 2
    assert all(Path(path).exists() for path in written)


def test_resume_skips_what_is_there(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    call(capsys, "infer", trained, "--device", "cpu")
    answer = call(capsys, "infer", trained, "--resume", "--json", "--device", "cpu")
    assert (answer.code, answer.data["cases"]) == (0, [])
    assert answer.data["skipped"] == ["case_4", "case_5"]


def test_an_image_that_is_not_there(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "infer", trained, "gone.nii.gz", "--json", "--device", "cpu")
    assert (answer.code, answer.data["error"]) == (2, "DataError")
    assert "gone.nii.gz" in answer.err
    assert not list((trained / "eval").rglob("*.nii.gz"))


def test_without_weights_it_says_what_to_run(capsys: pytest.CaptureFixture[str], archive: Path, balls: Path) -> None:
    answer = call(capsys, "infer", archive, balls.parent / "imagesTr" / "case_5.nii.gz", "--json")
    assert (answer.code, answer.data["error"]) == (2, "CheckpointError")
    assert "vesalia train" in answer.err
