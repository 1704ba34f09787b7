"""WritePng: a label map or an image in the size of the picture it came from, and read back."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vesalia.components.writers.write_png import WritePng
from vesalia.errors import DataError
from vesalia.imaging.geometry import resize_affine
from vesalia.imaging.picture import picture_affine, read_picture
from vesalia.imaging.volume import Sample, Volume

LABEL = torch.arange(12).reshape(1, 3, 4)


@pytest.fixture
def original(tmp_path: Path) -> Volume:
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(tmp_path / "polyp_7.png")
    return read_picture([tmp_path / "polyp_7.png"])


def test_a_label_map_keeps_its_values(original: Volume, tmp_path: Path) -> None:
    sample = Sample({"image": original, "pred": Volume(LABEL, picture_affine(), "first")}, name="polyp_7")
    writer = WritePng("pred")
    assert not writer.exists("polyp_7", tmp_path / "eval")
    path = writer.write(sample, tmp_path / "eval")
    assert path == tmp_path / "eval/polyp_7/polyp_7_pred.png"
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), LABEL[0].numpy())
    assert writer.exists("polyp_7", tmp_path / "eval")
    assert torch.equal(writer.read("polyp_7", tmp_path / "eval").data.long(), LABEL[0])


def test_it_goes_back_to_the_original_size(original: Volume, tmp_path: Path) -> None:
    affine = resize_affine(picture_affine(), (3, 4), new_shape=(6, 8))
    large = LABEL.repeat_interleave(2, 1).repeat_interleave(2, 2)
    sample = Sample({"image": original, "pred": Volume(large, affine, "first")}, name="a")
    written = read_picture([WritePng("pred").write(sample, tmp_path)])
    assert torch.equal(written.data.long(), LABEL[0])


def test_probabilities_are_scaled_and_interpolated(original: Volume, tmp_path: Path) -> None:
    affine = resize_affine(picture_affine(), (3, 4), new_shape=(6, 8))
    ramp = torch.linspace(0, 1, 8).expand(1, 6, 8)
    sample = Sample({"image": original, "model": Volume(ramp, affine, "first")}, name="a")
    writer = WritePng("model", scale=255)
    path = writer.write(sample, tmp_path)
    with Image.open(path) as picture:
        expected = (ramp[0, 0, 0::2] + ramp[0, 0, 1::2]) / 2 * 255
        np.testing.assert_allclose(np.asarray(picture)[0], expected, atol=0.51)
    assert writer.read("a", tmp_path).data.max() <= 1
    assert WritePng("model", scale=255, is_label=True).is_label


def test_sixteen_bits_and_another_folder(tmp_path: Path) -> None:
    sample = Sample({"pred": Volume(LABEL * 1000, picture_affine(), "first")}, name="a")
    writer = WritePng("pred", dtype="uint16", write_path=str(tmp_path / "elsewhere"))
    path = writer.write(sample, tmp_path / "eval")
    assert path == tmp_path / "elsewhere/a/a_pred.png"
    assert torch.equal(read_picture([path]).data.long(), LABEL[0] * 1000)


def test_a_volume_is_left_to_write_nifti(tmp_path: Path) -> None:
    sample = Sample({"pred": Volume(torch.zeros(1, 3, 4, 5), np.eye(4), "first")}, name="a")
    with pytest.raises(DataError, match="expected a 2D image; write it with WriteNifti"):
        WritePng("pred").write(sample, tmp_path)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leads out of its folder"):
        WritePng("pred").path("../a", tmp_path)
