"""Resampling with NumPy: the twin of vesalia.imaging.resample, for every kind of grid."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.runner.twins import DTYPES, as_arrays, placed, volumes
from vesalia.deploy.runner.resample import Mode, resample_to, resize
from vesalia.deploy.runner.volume import Volume
from vesalia.errors import DataError
from vesalia.imaging import resample as tensors
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample

MODES: Any = st.sampled_from(["nearest", "linear"])


@given(volumes(), st.data(), MODES)
def test_to_any_grid(volume: Any, data: st.DataObject, mode: Mode) -> None:
    dims = len(volume.spatial_shape)
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(dims))
    grid = Grid(shape, data.draw(placed(shape, oblique=data.draw(st.booleans()))))
    wanted = tensors.resample_to(volume, grid, mode=mode, fill=-3.0 if volume.data.is_floating_point() else 0)
    twin = as_arrays(Sample({"image": volume}))["image"]
    found = resample_to(twin, grid, mode=mode, fill=-3.0 if volume.data.is_floating_point() else 0)
    tolerance = 0 if mode == "nearest" else 2e-3
    np.testing.assert_allclose(found.data, wanted.data.numpy(), rtol=tolerance, atol=tolerance)
    assert found.data.dtype.name == str(wanted.data.dtype).removeprefix("torch.")


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from(DTYPES))
def test_long_axes_choose_the_same_voxels(old: int, new: int, dtype: str) -> None:
    line = np.arange(old).astype(dtype)[None, :, None, None]
    wanted = tensors.resize(torch.from_numpy(line)[None], (new, 1, 1), mode="nearest")[0]
    np.testing.assert_array_equal(resize(line, (new, 1, 1), mode="nearest"), wanted.numpy())


@given(st.integers(1, 400), st.integers(1, 400))
def test_long_axes_are_interpolated_alike(old: int, new: int) -> None:
    line = np.random.default_rng(old).normal(size=(1, 1, old)).astype(np.float32)
    wanted = tensors.resize(torch.from_numpy(line)[None], (1, new), mode="linear")[0]
    np.testing.assert_allclose(resize(line, (1, new), mode="linear"), wanted.numpy(), atol=2e-4)


def test_what_has_no_place_is_refused() -> None:
    with pytest.raises(DataError, match="without an affine"):
        resample_to(Volume(np.zeros((2, 2, 2))), Grid((2, 2, 2), np.eye(4)), mode="linear")
    with pytest.raises(DataError, match="expected 2 spatial axes"):
        resample_to(Volume(np.zeros((2, 2, 2)), np.eye(4)), Grid((2, 2), np.eye(4)), mode="linear")
