"""NIfTI and NumPy: what is written is read back, and the same voxels give the same bytes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.nifti import read_volume, write_volume
from vesalia.imaging.nifti_array import read_array, write_array
from vesalia.imaging.source import Source
from vesalia.imaging.volume import Volume

AFFINE = np.array([[-1.5, 0, 0, 10], [0, 0, 2, -3], [0, 1, 0, 4], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("shape", [(1, 4, 5, 6), (3, 4, 5, 6), (2, 4, 5), (1, 4, 5)])
def test_the_same_bytes_as_a_volume(tmp_path: Path, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(0, 9, shape).astype(np.float32)
    grid = Grid(shape[1:], AFFINE)
    write_array(values, tmp_path / "array.nii.gz", grid=grid)
    write_volume(Volume(torch.from_numpy(values), AFFINE, "first"), tmp_path / "volume.nii.gz")
    assert (tmp_path / "array.nii.gz").read_bytes() == (tmp_path / "volume.nii.gz").read_bytes()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_what_is_written_is_read_back(tmp_path: Path, dtype: Any) -> None:
    values = np.arange(2 * 3 * 4, dtype=dtype).reshape(1, 2, 3, 4)
    path = write_array(values, tmp_path / "x.nii", grid=Grid((2, 3, 4), AFFINE), dtype=dtype)
    found, header = read_array(path, dtype=dtype)
    np.testing.assert_array_equal(found, values[0])
    np.testing.assert_allclose(header.grid.affine, AFFINE)
    assert (header.dtype, found.flags.c_contiguous, found.dtype) == (dtype, True, np.dtype(dtype))
    np.testing.assert_array_equal(read_volume(path, dtype=dtype).data.numpy(), found)


def test_the_codes_of_the_file_it_came_from_stay(tmp_path: Path) -> None:
    grid = Grid((2, 3, 4), AFFINE)
    source = Source((tmp_path / "a.nii",), grid, sform_code=4, qform_code=0)
    path = write_array(np.zeros((1, 2, 3, 4), np.uint8), tmp_path / "x.nii", grid=grid, source=source)
    header = read_array(path, dtype="uint8")[1]
    assert (header.sform_code, header.qform_code) == (4, 0)


def test_values_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found values from 0 to 300"):
        write_array(np.array([[[0, 300]]]), tmp_path / "x.nii", grid=Grid((1, 2), np.eye(4)), dtype="uint8")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shape", [(1, 5, 4), (1, 5, 4, 40), (3, 5, 4, 6)])
@pytest.mark.parametrize(
    ("stored", "low", "high", "kept"),
    [
        ("int16", -1024, 3071, "int16"),
        ("int16", 0, 255, "uint8"),
        ("uint16", 0, 3000, "int16"),
        ("uint8", 0, 3, "uint8"),
        ("int32", -5, 5, "int16"),
        ("int32", 0, 40000, "float32"),
        ("float32", 0, 5, "float32"),
    ],
)
def test_whole_numbers_stay_so_where_they_fit(
    tmp_path: Path, *, shape: tuple[int, ...], stored: Any, low: int, high: int, kept: str
) -> None:
    values = np.random.default_rng(1).integers(low, high, shape, endpoint=True).astype(stored)
    values.flat[:2] = low, high
    path = write_array(values, tmp_path / "x.nii.gz", grid=Grid(shape[1:], AFFINE), dtype=stored)
    found = read_array(path, dtype="float32", keep_whole=True)[0]
    assert found.dtype == kept
    np.testing.assert_array_equal(found, read_array(path, dtype="float32")[0])


@pytest.mark.parametrize(
    ("slope", "intercept", "kept"), [(1.0, -1024.0, "int16"), (1.0, 0.5, "float32"), (2.0, 0.0, "float32")]
)
def test_whole_numbers_that_are_shifted_stay_so(tmp_path: Path, slope: float, intercept: float, kept: str) -> None:
    raw = np.array([[[0, 40000], [33000, 1024]]] if intercept == -1024 else [[[0, 40], [33, 24]]], np.uint16)
    raw = raw.clip(max=33700)
    image = nib.Nifti1Image(raw, AFFINE)
    image.header.set_slope_inter(slope, intercept)
    nib.save(image, tmp_path / "x.nii")
    found = read_array(tmp_path / "x.nii", dtype="float32", keep_whole=True)[0]
    assert found.dtype == kept
    np.testing.assert_array_equal(found, read_array(tmp_path / "x.nii", dtype="float32")[0])


def test_several_files_are_joined_in_the_wider_type(tmp_path: Path) -> None:
    for name, low in (("a", 0), ("b", -4)):
        write_array(
            np.full((1, 2, 3, 4), low, np.int16), tmp_path / f"{name}.nii", grid=Grid((2, 3, 4), AFFINE), dtype="int16"
        )
    found = read_volume([tmp_path / "a.nii", tmp_path / "b.nii"], keep_whole=True)
    assert found.data.dtype == torch.int16
    assert found.data[:, 0, 0, 0].tolist() == [0, -4]
