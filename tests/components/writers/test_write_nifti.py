"""WriteNifti: back on the original grid, with the original affine, under the subject's name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from vesalia.components.writers.write_nifti import WriteNifti
from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid, resize_affine
from vesalia.imaging.nifti import read_volume
from vesalia.imaging.volume import Sample, Source, Volume

AFFINE = np.array([[0, -1.5, 0, 10], [2.0, 0, 0, -20], [0, 0, 3.0, 5], [0, 0, 0, 1]])


@pytest.fixture
def original(tmp_path: Path) -> Volume:
    """An image file of 6 x 5 x 4 voxels, turned and anisotropic."""
    path = tmp_path / "spleen_8.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((6, 5, 4), dtype=np.float32), AFFINE), path)
    return read_volume(path)


def load(path: Path) -> nib.Nifti1Image:
    image = nib.load(path)
    assert isinstance(image, nib.Nifti1Image)
    return image


def labels(shape: tuple[int, ...]) -> torch.Tensor:
    return torch.randint(0, 3, shape, generator=torch.Generator().manual_seed(0))


def test_a_label_on_the_original_grid_comes_back_voxel_by_voxel(original: Volume, tmp_path: Path) -> None:
    field = Volume(labels((1, 6, 5, 4)), affine=AFFINE, channel="first")
    sample = Sample({"image": original, "pred": field}, name="spleen_8")
    path = WriteNifti("pred", dtype="uint8").write(sample, tmp_path / "eval")
    assert path == tmp_path / "eval/spleen_8/spleen_8_pred.nii.gz"
    written = load(path)
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(written.dataobj), field.data[0].numpy())
    np.testing.assert_allclose(written.affine, AFFINE)


def test_what_was_written_is_known_and_read_back(original: Volume, tmp_path: Path) -> None:
    field = Volume(labels((1, 6, 5, 4)), affine=AFFINE, channel="first")
    writer = WriteNifti("pred", dtype="uint8")
    assert not writer.exists("case", tmp_path)
    writer.write(Sample({"image": original, "pred": field}, name="case"), tmp_path)
    assert writer.exists("case", tmp_path)
    back = writer.read("case", tmp_path)
    assert back.data.dtype == torch.uint8
    assert torch.equal(back.data.long(), field.data[0])
    assert back.grid.matches(field.grid)


def test_a_resampled_label_goes_back_by_nearest_neighbour(original: Volume, tmp_path: Path) -> None:
    coarse = labels((6, 5, 4))
    fine = coarse.repeat_interleave(2, 0).repeat_interleave(3, 2)
    affine = resize_affine(AFFINE, (6, 5, 4), new_shape=(12, 5, 12))
    sample = Sample({"image": original, "pred": Volume(fine[None], affine=affine, channel="first")}, name="case")
    written = load(WriteNifti("pred", dtype="int16").write(sample, tmp_path))
    np.testing.assert_array_equal(np.asarray(written.dataobj), coarse.numpy())
    np.testing.assert_allclose(written.affine, AFFINE)


def test_probabilities_are_interpolated_and_keep_their_channels(original: Volume, tmp_path: Path) -> None:
    ramp = torch.arange(12.0).view(1, 12, 1, 1).expand(2, 12, 5, 4) / 12
    affine = resize_affine(AFFINE, (6, 5, 4), new_shape=(12, 5, 4))
    sample = Sample({"image": original, "model": Volume(ramp, affine=affine, channel="first")}, name="case")
    written = load(WriteNifti("model").write(sample, tmp_path))
    values = np.asarray(written.dataobj)
    assert values.shape == (6, 5, 4, 2)
    np.testing.assert_allclose(values[:, 0, 0, 0], (np.arange(6) * 2 + 0.5) / 12, atol=1e-6)


def test_write_path_takes_the_place_of_the_folder(tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    assert WriteNifti("p", write_path=elsewhere).path("a", Path("eval")) == tmp_path / "elsewhere/a/a_p.nii.gz"
    assert WriteNifti("p", write_path="masks").path("a", Path("eval")) == Path("eval/masks/a/a_p.nii.gz")


def test_the_fields_own_file_serves_where_there_is_no_image(tmp_path: Path) -> None:
    source = Source((Path("a.nii"),), Grid((6, 5, 4), AFFINE))
    field = Volume(labels((1, 6, 5, 4)), affine=AFFINE, channel="first", source=source)
    written = load(WriteNifti("pred", dtype="uint8").write(Sample({"pred": field}, name="a"), tmp_path))
    np.testing.assert_allclose(written.affine, AFFINE)
    assert written.shape == (6, 5, 4)


def test_a_field_without_any_file_is_written_where_it_lies(tmp_path: Path) -> None:
    field = Volume(labels((1, 3, 3, 3)), affine=AFFINE, channel="first")
    written = load(WriteNifti("pred", dtype="uint8").write(Sample({"pred": field}, name="a"), tmp_path))
    np.testing.assert_allclose(written.affine, AFFINE)


def test_faults_leave_nothing_behind(original: Volume, tmp_path: Path) -> None:
    field = Volume(torch.full((1, 6, 5, 4), 300), affine=AFFINE, channel="first")
    sample = Sample({"image": original, "pred": field}, name="a")
    with pytest.raises(DataError, match="found no field"):
        WriteNifti("prediction").write(sample, tmp_path / "eval")
    with pytest.raises(DataError, match="found values"):
        WriteNifti("pred", dtype="uint8").write(sample, tmp_path / "eval")
    assert not list(tmp_path.glob("eval/**/*.nii.gz"))


def test_a_name_that_leads_out_of_the_folder_is_refused(original: Volume, tmp_path: Path) -> None:
    sample = Sample({"image": original}, name="../elsewhere")
    with pytest.raises(DataError, match="leads out of its folder"):
        WriteNifti("image", write_path="deeper").write(sample, tmp_path / "eval")
    assert not (tmp_path / "eval").exists()
