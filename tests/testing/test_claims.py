"""A claim fails in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.testing.claims import claim


def test_a_claim_holds_or_fails_with_its_text() -> None:
    claim(holds=True, text="never shown")
    with pytest.raises(AssertionError, match="found 3, expected 4"):
        claim(holds=[], text="found 3, expected 4")
