"""Volumes of the runner: layouts, places and names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.deploy.runner.twins import as_arrays, volumes
from vesalia.deploy.runner.volume import Sample, Volume, change_fields
from vesalia.errors import DataError
from vesalia.imaging import volume as tensors


@given(volumes())
def test_the_same_channels_as_a_tensor(volume: tensors.Volume) -> None:
    twin = as_arrays(tensors.Sample({"image": volume}))["image"]
    np.testing.assert_array_equal(twin.channels, volume.as_batch()[0].numpy())
    assert twin.spatial_shape == volume.spatial_shape
    again = twin.like_this(twin.channels)
    np.testing.assert_array_equal(again.data, twin.data)
    np.testing.assert_array_equal(again.placed, volume.placed)


def test_a_place_that_is_not_known() -> None:
    volume = Volume(np.zeros((2, 3)))
    np.testing.assert_array_equal(volume.grid.affine, np.eye(4))
    moved = volume.like_this(volume.channels, affine=np.diag([2.0, 2, 2, 1]))
    assert moved.grid.spacing_mm == (2.0, 2.0)


def test_a_field_that_is_not_there() -> None:
    with pytest.raises(DataError, match="a: found no field 'model', expected one of: image"):
        Sample({"image": Volume(np.zeros((2, 2)))}, name="a")["model"]


def test_changes_make_copies() -> None:
    before = Sample({"image": Volume(np.zeros((2, 2)))})
    after = change_fields(before, ["image"], change=lambda volume: Volume(volume.data + 1))
    assert (before["image"].data.max(), after["image"].data.min()) == (0, 1)
