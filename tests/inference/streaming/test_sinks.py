"""Where finished voxels go: labels by the largest channel, masks by a threshold of the average."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from vesalia.imaging.windows import WindowPlan
from vesalia.inference.streaming.arrays import NumpyArrays
from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Averages, Labels, Masks

PLAN = WindowPlan.of((6, 2), (4, 2), overlap=0.5)
BOX = (slice(2, 4), slice(0, 2))  # covered by both windows
SUMS = np.array([[[0.2, 1.8], [1.0, 1.0]], [[1.8, 0.2], [1.0, 1.1]]], dtype=np.float32)
FINISHED = Finished((1, 0), BOX, SUMS, NumpyArrays(), PLAN, None)
SHELF = Shelf(NumpyArrays(), 0)


def test_labels_are_the_first_largest_channel() -> None:
    sink = Labels((6, 2), channels=2)
    sink.take(FINISHED, SHELF)
    assert sink.result.tolist() == [[[0, 0], [0, 0], [1, 0], [0, 1], [0, 0], [0, 0]]]
    assert sink.result.dtype == np.uint8
    assert Labels((1, 1), channels=300).result.dtype == np.int16


def test_masks_are_decided_by_averages() -> None:
    sink = Masks((6, 2), channels=2, threshold=0.5)
    sink.take(FINISHED, SHELF)
    assert sink.result[:, 2:4].tolist() == [[[0, 1], [0, 0]], [[1, 0], [0, 1]]]


def test_axes_may_lie_otherwise_in_the_result() -> None:
    box, values = (slice(0, 1), slice(0, 2)), np.array([[[1.0, 0.0]], [[0.0, 1.0]]], dtype=np.float32)
    labels, masks = Labels((2, 6), channels=2, order=(1, 0)), Masks((2, 6), channels=2, threshold=0.5, order=(1, 0))
    labels.put(box, values, arrays=NumpyArrays())
    masks.put(box, values, arrays=NumpyArrays())
    assert labels.result[0, :, 0].tolist() == [0, 1]
    assert masks.result[:, :, 0].tolist() == [[1, 0], [0, 1]]


def test_averages_are_kept_with_the_weights_of_the_windows() -> None:
    weights = np.array([[1, 1], [2, 2], [3, 3], [4, 4]], dtype=np.float32)
    finished = Finished((1, 0), BOX, np.full((1, 2, 2), 8, dtype=np.float32), NumpyArrays(), PLAN, weights)
    assert finished.totals.tolist() == [[4, 4], [6, 6]]
    sink = Averages(np.zeros((1, 6, 2), dtype=np.float32))
    sink.take(finished, SHELF)
    assert np.allclose(sink.result[0, 2:4, 0], [2, 8 / 6])
    assert FINISHED.totals.tolist() == [[2, 2], [2, 2]]
