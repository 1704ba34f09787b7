"""SaveAsNifti: every item on disk, under numbers of their own; a key is asked for only where there is a keyboard."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import logging
import pickle
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.nifti import read_volume
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.post.save_as_nifti import SaveAsNifti


class TestSaveAsNifti(TransformSuite):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def make(self, dims: int) -> SaveAsNifti:
        return SaveAsNifti(["image", "label"], out_dir=str(self.folder / "seen"))


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_voxels_and_their_place(tmp_path: Path) -> None:
    sample = example_sample((4, 3, 2))
    assert SaveAsNifti("label", out_dir=str(tmp_path / "a/b")).transform(sample) is sample
    written = read_volume(tmp_path / "a/b/subject0_label_0000.nii.gz", dtype="uint8")
    np.testing.assert_array_equal(written.data.numpy(), sample["label"].data[0].numpy())
    np.testing.assert_allclose(written.placed, sample["label"].placed, atol=1e-4)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    for _ in range(2):
        step = SaveAsNifti("image", out_dir=str(tmp_path))
        step.transform(example_sample((4, 3)))
        step.transform(example_sample((4, 3)))
    assert names(tmp_path) == [f"subject0_image_{number:04d}.nii.gz" for number in range(4)]


def test_a_batch_gives_a_file_per_crop(tmp_path: Path) -> None:
    crops = torch.rand(3, 2, 4, 4, 4)
    sample = Sample({"image": Volume(crops, channel="first", batched=True)}, name="a/b*")
    SaveAsNifti("image", out_dir=str(tmp_path)).transform(sample)
    assert names(tmp_path) == [f"a_b*_image_0000_crop{index:02d}.nii.gz" for index in range(3)]
    image = nib.load(tmp_path / "a_b*_image_0000_crop01.nii.gz")
    assert isinstance(image, nib.Nifti1Image)
    np.testing.assert_allclose(image.get_fdata(), crops[1].movedim(0, -1).numpy())


def test_many_workers_at_once(tmp_path: Path) -> None:
    step = SaveAsNifti("image", out_dir=str(tmp_path))
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(step.transform, [example_sample((4, 3))] * 8))
    assert names(tmp_path) == [f"subject0_image_{number:04d}.nii.gz" for number in range(8)]


def test_it_can_go_to_another_process() -> None:
    step = SaveAsNifti("image", out_dir=tempfile.gettempdir())
    assert pickle.loads(pickle.dumps(step)).out_dir == step.out_dir  # noqa: S301 - our own bytes


def test_a_label_vector_is_refused(tmp_path: Path) -> None:
    sample = Sample({"label": Volume(torch.ones(3), channel="first")})
    with pytest.raises(DataError, match="found numbers in the field 'label', expected an image"):
        SaveAsNifti("label", out_dir=str(tmp_path)).transform(sample)


def test_it_waits_for_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    keyboard = Keyboard("\n\nrest")
    monkeypatch.setattr(sys, "stdin", keyboard)
    step = SaveAsNifti("image", out_dir=str(tmp_path), interrupt=True)
    with caplog.at_level(logging.WARNING):
        step.transform(example_sample((4, 3)))
        step.transform(example_sample((4, 3)))
    assert keyboard.read() == "rest"
    assert "subject0_image_0001.nii.gz; press Enter to go on" in caplog.text


@pytest.mark.parametrize("stdin", ["pipe", "none", "closed"])
def test_without_a_keyboard_it_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stdin: str
) -> None:
    pipe = io.StringIO("\n")
    if stdin == "closed":
        pipe.close()
    monkeypatch.setattr(sys, "stdin", None if stdin == "none" else pipe)
    step = SaveAsNifti("image", out_dir=str(tmp_path), interrupt=True)
    with caplog.at_level(logging.WARNING):
        step.transform(example_sample((4, 3)))
        step.transform(example_sample((4, 3)))
    assert caplog.text.count("found no keyboard") == 1
