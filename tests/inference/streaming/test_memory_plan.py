"""What a prediction takes of the memory, in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from vesalia.errors import ResourceError
from vesalia.inference.streaming.memory_plan import MemoryPlan, require_fit


def test_in_words() -> None:
    plan = MemoryPlan("big", (512, 512, 400), 294, 300_000_000, 840_000_000, 105_000_000, 300_000_000, 2_100_000_000)
    assert str(plan) == (
        "memory: about 1.54 GB at most for big (512 x 512 x 400 voxels, 294 windows, decided one by one): "
        "image 0.84 GB, result 0.10 GB, waiting 0.30 GB, process 0.30 GB; 2.10 GB in a temporary file"
    )
    whole = MemoryPlan("small", (8, 8), 0, 10**9, 10**9, 10**9)
    assert "probabilities kept as a whole" in str(whole)
    assert whole.least_bytes == 2 * 10**9


def test_the_largest_subject_must_fit() -> None:
    plans = [MemoryPlan(name, (8, 8), 0, 0, size, size) for name, size in (("small", 10), ("large", 10**9))]
    assert require_fit(plans, classes=3, available_bytes=2 * 10**9) is plans[1]
    assert require_fit([], classes=3, available_bytes=0) is None
    with pytest.raises(ResourceError, match=r"large: found a need of at least 2.0 GB .*8 x 8 voxels, 3 classes"):
        require_fit(plans, classes=3, available_bytes=2 * 10**9 - 1)
