"""Progress is plain data with defaults for trainings that do not validate."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from vesalia.components.lr_policies.base import Progress


def test_progress_is_frozen_data() -> None:
    progress = Progress(0.5, 10)
    assert (progress.validations_without_gain, progress.earlier_stalls) == (0, ())
    assert Progress(0.5, 10) == progress
    with pytest.raises(dataclasses.FrozenInstanceError):
        progress.step = 11  # type: ignore[misc]
