"""What loading transforms share: files of a field, axes, one grid per subject."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.transforms.load.fields import LAYOUTS, files_of, first_source, on_the_grid_of, with_axes


def volume(affine: np.ndarray, shape: tuple[int, ...] = (4, 3, 2)) -> Volume:
    return Volume(torch.zeros(shape), affine, source=Source((Path("a.nii"),), Grid(shape, affine)))


def test_files_of_a_field() -> None:
    assert files_of(Sample(files={"image": (Path("a"),)}), "image") == (Path("a"),)
    for files in ({}, {"label": ()}):
        with pytest.raises(DataError, match="found no file for field 'label', expected one of"):
            files_of(Sample(files=files), "label")


def test_the_first_source_is_that_of_a_file() -> None:
    placed = volume(np.eye(4))
    assert first_source(Sample({"a": Volume(torch.zeros(2)), "b": placed})) is placed.source
    assert first_source(Sample()) is None


@pytest.mark.parametrize("shift", [0.0, 1e-4])
def test_rounding_is_taken_off(shift: float) -> None:
    first = volume(np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = shift
    assert on_the_grid_of(first.source, volume(moved)).affine is first.affine


@pytest.mark.parametrize(
    "other",
    [
        volume(np.diag([2.0, 1, 1, 1])),
        volume(np.eye(4), (4, 3, 3)),
        Volume(torch.zeros(4, 3, 2), np.diag([1.001, 1, 1, 1])),
    ],
)
def test_what_lies_elsewhere_stays(other: Volume) -> None:
    assert on_the_grid_of(volume(np.eye(4)).source, other) is other


def test_without_another_field_nothing_changes() -> None:
    one = volume(np.eye(4))
    assert on_the_grid_of(None, one) is one


@pytest.mark.parametrize("shape", LAYOUTS)
def test_axes_as_told(shape: str) -> None:
    dims, channel = LAYOUTS[shape]
    told = with_axes(Volume(torch.zeros((2,) * len(shape))), shape)
    assert (len(told.spatial_shape), told.channel) == (dims, channel)


def test_channels_of_several_files_stay_first() -> None:
    stacked = Volume(torch.zeros(2, 4, 3, 2), channel="first")
    assert with_axes(stacked, "DHWC") is stacked
