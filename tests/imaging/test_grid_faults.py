"""Image and label: same place or not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.geometry import Grid
from vesalia.imaging.grid_faults import grid_fault, shape_words, spacing_words

FILE = Path("label.nii.gz")


def grid(*, shape: tuple[int, ...] = (10, 12, 8), spacing: tuple[float, ...] = (1, 1, 2.5), shift: float = 0.0) -> Grid:
    affine = np.diag([*spacing, 1.0])
    affine[0, 3] = shift
    return Grid(shape, affine)


def test_the_same_place_is_no_fault() -> None:
    assert grid_fault(FILE, grid(), image=grid()) is None


@given(error=st.floats(-1e-3, 1e-3), shift=st.floats(-0.5, 0.5))
def test_rounding_in_headers_is_no_fault(error: float, shift: float) -> None:
    assert grid_fault(FILE, grid(spacing=(1 + error, 1, 2.5), shift=shift), image=grid()) is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (grid(shape=(10, 12, 9)), "the shape 10 x 12 x 9"),
        (grid(spacing=(1, 1, 2)), "voxels of 1 x 1 x 2 mm"),
        (grid(shift=30), "another place"),
        (grid(spacing=(-1, 1, 2.5)), "another place or direction"),
    ],
)
def test_another_place_is_a_fault(other: Grid, words: str) -> None:
    fault = grid_fault(FILE, other, image=grid())
    assert fault is not None
    assert words in fault.found
    assert fault.file == str(FILE)


def test_words() -> None:
    assert shape_words(grid()) == "10 x 12 x 8"
    assert spacing_words(grid()) == "1 x 1 x 2.5 mm"
