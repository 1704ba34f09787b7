"""What every test gets: quiet thread counts, and a Hypothesis profile that does not depend on a busy machine."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hypothesis
import pytest

__all__: list[str] = []

# A deadline would judge the machine, not the code; a fixed choice of examples makes a failure come again.
hypothesis.settings.register_profile("vesalia", deadline=None, derandomize=True, max_examples=50, print_blob=True)
hypothesis.settings.load_profile("vesalia")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person at the keyboard changes what a test sees."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)
