"""How a conformance suite judges: in words, since pytest shows values only for assertions in test files."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

__all__ = ["claim"]


def claim(holds: object, text: str) -> None:
    """Fail the test with ``text`` unless ``holds`` is true.

    Raises:
        AssertionError: It is not.
    """
    if not holds:
        raise AssertionError(text)
