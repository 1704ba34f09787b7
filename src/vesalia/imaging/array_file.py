"""NumPy files in: ``.npy``, and ``.npz`` with one array or one under a known name. Never unpickles."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.errors import DataError
from vesalia.imaging.voxel_values import check_fits, check_numbers

__all__ = ["read_array"]

_UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def read_array(path: Path, *, name: str, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The array in a file, in ``dtype``, last axis fastest.

    Args:
        path: The file.
        name: What the array is called in an ``.npz`` that holds several.
        dtype: The type of the values; they must fit.

    Raises:
        DataError: The file is missing, damaged, holds Python objects or no numbers, or several arrays of other names.
    """
    try:
        raw = _read(path, name)
    except FileNotFoundError:
        message = f"{path}: found no such file, expected a NumPy array; write the right path in the data list"
        raise DataError(message) from None
    except DataError:
        raise
    except _UNREADABLE as error:
        found = f"no array of numbers that can be read ({error})"
        message = f"{path}: found {found}, expected .npy or .npz without pickled objects; write it with numpy.save"
        raise DataError(message) from error
    if raw.dtype.kind not in "fiub" or not raw.size:
        message = f"{path}: found an array of {raw.dtype} and shape {raw.shape}, expected numbers; write it as float32"
        raise DataError(message)
    check_numbers(raw, path)
    check_fits(raw, dtype, path=path)
    return raw.astype(dtype, order="C")


def _read(path: Path, name: str) -> npt.NDArray[Any]:
    with path.open("rb") as stream:  # np.load alone leaves a damaged archive open
        loaded = np.load(stream, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return np.asarray(loaded)
        chosen = name if name in loaded.files else loaded.files[0] if len(loaded.files) == 1 else None
        if chosen is None:
            there = ", ".join(loaded.files) or "none"
            found = f"the arrays {there}, none of them {name!r}"
            raise DataError(f"{path}: found {found}, expected a single array or {name!r}; write it under that name")
        return np.asarray(loaded[chosen])
