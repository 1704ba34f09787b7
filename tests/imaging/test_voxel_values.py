"""Voxel values that cannot be: not numbers, too large, not whole."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vesalia.errors import DataError
from vesalia.imaging.voxel_values import check_fits, check_numbers

PATH = Path("a.nii")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_counted_and_placed(value: float) -> None:
    values = np.zeros((2, 3))
    values[1, 2] = value
    with pytest.raises(DataError, match=r"a.nii: found 1 voxels that are NaN or infinite \(the first at \(1, 2\)\)"):
        check_numbers(values, PATH)


def test_large_numbers_are_numbers() -> None:
    check_numbers(np.full(4, np.finfo(np.float64).max), PATH)
    check_numbers(np.array([1, 2]), PATH)


@pytest.mark.parametrize(
    ("values", "dtype", "said"),
    [
        ([0, 256], "uint8", "found values from 0 to 256, expected 0 to 255"),
        ([-1, 0], "bool", "found values from -1 to 0, expected 0 to 1"),
        ([0.0, 1e39], "float32", "for dtype float32; write a wider dtype"),
        ([0.5], "int16", "found values that are not whole"),
    ],
)
def test_what_a_type_cannot_hold_is_refused(values: list[float], dtype: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_fits(np.array(values), np.dtype(dtype), path=PATH)


def test_what_it_can_hold_passes() -> None:
    check_fits(np.array([0.0, 255.0]), np.dtype("uint8"), path=PATH)
    check_fits(np.array([0.25]), np.dtype("float16"), path=PATH)
