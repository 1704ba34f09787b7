"""Number formats by name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["str_to_dtype"]


def str_to_dtype(dtype: str | type[Any]) -> type[Any]:
    """The NumPy type of a name such as ``float32``; a type stays what it is.

    Raises:
        ValueError: There is no such type.
    """
    try:
        return np.dtype(dtype).type
    except TypeError:
        message = f"dtype: found {dtype!r}, expected the name of a NumPy type; write float32, uint8 or the like"
        raise ValueError(message) from None
