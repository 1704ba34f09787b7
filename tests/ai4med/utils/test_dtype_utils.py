"""Types by name."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from ai4med.utils.dtype_utils import str_to_dtype


@pytest.mark.parametrize(("name", "dtype"), [("float32", np.float32), ("uint8", np.uint8), (np.int16, np.int16)])
def test_a_type_by_its_name(name: str | type, dtype: type) -> None:
    assert str_to_dtype(name) is dtype


def test_a_name_that_is_no_type() -> None:
    with pytest.raises(ValueError, match="found 'float33', expected the name of a NumPy type"):
        str_to_dtype("float33")
