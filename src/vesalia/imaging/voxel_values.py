"""What voxel values may be: numbers, and such as their type can hold."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vesalia.errors import DataError

__all__ = ["DType", "check_fits", "check_numbers"]

DType = Literal["float32", "float64", "float16", "uint8", "int8", "int16", "int32", "int64", "bool"]


def check_numbers(raw: npt.NDArray[Any], path: Path) -> None:
    """Refuse values that are NaN or infinite.

    Raises:
        DataError: There are some; the message says how many, and where the first one is.
    """
    if raw.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(raw.sum(dtype=np.float64)):
            return
    bad = np.argwhere(~np.isfinite(raw))
    if not len(bad):  # the sum was too large, the values are not
        return
    where = tuple(bad[0].tolist())
    message = (
        f"{path}: found {len(bad)} voxels that are NaN or infinite (the first at {where}), expected numbers; "
        "write 0 or the background's value in their place"
    )
    raise DataError(message)


def check_fits(values: npt.NDArray[Any], dtype: np.dtype[Any], *, path: Path) -> None:
    """Refuse values that ``dtype`` cannot hold: too large, too small, or not whole.

    Raises:
        DataError: There are some.
    """
    low, high = _limits(dtype)
    least, most = values.min(), values.max()
    if least < low or most > high:
        message = f"{path}: found values from {least} to {most}, expected {low} to {high} for dtype {dtype.name}"
        raise DataError(f"{message}; write a wider dtype")
    if dtype.kind != "f" and values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        message = f"{path}: found values that are not whole, expected whole numbers for dtype {dtype.name}"
        raise DataError(f"{message}; write dtype float32")


def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    if dtype.kind == "b":
        return 0, 1
    limits = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    return limits.min, limits.max
