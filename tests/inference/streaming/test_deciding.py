"""The decision of a subject: labels or masks, on the image's grid or on another."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from vesalia.imaging.axis_steps import axis_steps
from vesalia.imaging.geometry import Grid, index_map
from vesalia.imaging.windows import WindowPlan
from vesalia.inference.streaming.arrays import NumpyArrays
from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.chain import Target
from vesalia.inference.streaming.deciding import Decision
from vesalia.inference.streaming.shelf import Shelf

OWN = Grid((2, 3), np.eye(4))
TURNED = Grid((3, 2), np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
SUMS = np.array([[[0.9, 0.2, 0.4], [0.1, 0.6, 0.3]], [[0.1, 0.8, 0.6], [0.9, 0.4, 0.7]]], dtype=np.float32)
PLAN = WindowPlan.of((2, 3), (2, 3), overlap=0.0)
FINISHED = Finished((0, 0), (slice(0, 2), slice(0, 3)), SUMS, NumpyArrays(), PLAN, None)


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_labels_or_masks_here_or_there(threshold: float | None) -> None:
    steps = axis_steps(*index_map(OWN, TURNED), source=OWN.shape, target=TURNED.shape)
    assert steps is not None
    here, there = (Decision(t, threshold=threshold) for t in (Target(OWN), Target(TURNED, tuple(steps))))
    for decision in (here, there):
        decision.take(FINISHED, Shelf(NumpyArrays(), 0))
    expected = SUMS.argmax(0)[None] if threshold is None else threshold < SUMS
    assert np.array_equal(here.result, expected)
    assert np.array_equal(there.result, expected.transpose(0, 2, 1))


def test_before_anything_came_there_is_nothing() -> None:
    assert Decision(Target(OWN), threshold=None).result.shape == (0, 2, 3)
