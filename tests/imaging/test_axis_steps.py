"""How axes read each other: which one, from where, and where the field of view ends."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from vesalia.imaging.axis_steps import AxisStep, axis_steps


def test_axes_are_told_apart() -> None:
    matrix, offset = np.array([[0, -1.0, 0], [2.0, 0, 0], [0, 0, 0.5]]), np.array([9.0, 1, 0])
    steps = axis_steps(matrix, offset, source=(10, 20, 30), target=(5, 6, 7))
    assert steps is not None
    assert [(step.source_axis, step.scale, step.offset) for step in steps] == [(1, 2, 1), (0, -1, 9), (2, 0.5, 0)]
    assert axis_steps(np.array([[0.8, -0.6], [0.6, 0.8]]), np.zeros(2), source=(9, 9), target=(9, 9)) is None
    assert axis_steps(np.array([[1.0, 0.9], [0.1, 0.5]]), np.zeros(2), source=(9, 9), target=(9, 9)) is None


def test_what_lies_outside_is_counted() -> None:
    before, after, places = AxisStep(0, 1.0, -2.0, 3, 8).inside()
    assert (before, after, places.tolist()) == (2, 3, [0, 1, 2])
    assert AxisStep(0, 1.0, 50.0, 3, 8).inside()[0] == 8


def test_the_outer_half_voxel_counts_as_the_border() -> None:
    assert AxisStep.resizing(0, old=2, new=4).inside()[2].tolist() == [0, 0.25, 0.75, 1]
    assert AxisStep.resizing(0, old=2, new=4).keeps_field_of_view
    assert not AxisStep(0, 1.0, 1.0, 4, 4).keeps_field_of_view
