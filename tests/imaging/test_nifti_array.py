"""NIfTI and NumPy: what is written is read back, and the same voxels give the same bytes."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

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
