"""``vesalia infer``."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
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


@pytest.mark.slow
def test_the_same_labels_without_torch(
    capsys: pytest.CaptureFixture[str], trained: Path, balls: Path, tmp_path: Path
) -> None:
    exported = call(capsys, "export", trained, "--to", "onnx", "--json")
    assert exported.code == 0
    assert [Path(path).name for path in exported.data["files"]] == [
        "model.onnx",
        "model.plan.json",
        "model.export.json",
    ]
    images = sorted((balls.parent / "imagesTr").glob("*.nii.gz"))
    plan = trained / "models" / "model.plan.json"
    runs = {
        "torch": (trained, *images, "--set", "use_amp=false", "--device", "cpu"),
        "onnx": (trained, *images, "--engine", "onnx"),
        "plan": (plan, *images),
        "folder": (plan.parent, *images, "--engine", "onnx"),
    }
    labels = {}
    for name, arguments in runs.items():
        answer = call(capsys, "infer", *arguments, "-o", tmp_path / name, "--json")
        assert (answer.code, len(answer.data["cases"])) == (0, len(images))
        assert answer.err.startswith("memory: about ")
        written = [nib.Nifti1Image.from_filename(case["files"][0]) for case in answer.data["cases"]]
        labels[name] = np.concatenate([np.asarray(one.dataobj).ravel() for one in written])
    assert 0.001 < (labels["torch"] > 0).mean() < 0.999
    for name in ("onnx", "plan", "folder"):
        assert (labels[name] == labels["torch"]).mean() >= 0.9999


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "tensorflow"], "--engine: found 'tensorflow', expected torch or onnx"),
        (["--engine", "torch"], "--engine: found torch for .*, expected onnx"),
        (["--engine", "onnx"], "found no images, expected both"),
        (["a.nii.gz"], "found no folder for results, expected both"),
        (["a.nii.gz", "--set", "batch_size=1"], "--set: found it with an exported plan"),
        (["a.nii.gz", "--config", "config/other.json"], "--config: found it with an exported plan"),
    ],
)
def test_an_exported_plan_takes_images_and_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "model.plan.json").write_text("{}")
    answer = call(capsys, "infer", tmp_path, *arguments, "--json")
    assert (answer.code, answer.data["error"]) == (2, "ConfigError")
    assert re.search(said, answer.err)


def test_without_an_export_the_engine_says_what_to_run(capsys: pytest.CaptureFixture[str], trained: Path) -> None:
    answer = call(capsys, "infer", trained, "--engine", "onnx", "--json")
    assert (answer.code, answer.data["error"]) == (2, "CheckpointError")
    assert "--to onnx" in answer.err
