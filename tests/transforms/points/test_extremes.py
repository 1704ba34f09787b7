"""Extreme points: of boxes, balls, single voxels and nothing; and the Gaussians around them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import integers
from vesalia.transforms.points.extremes import extreme_points, gaussians_around


def test_a_cross_has_its_ends() -> None:
    mask = torch.zeros(1, 7, 9, dtype=torch.bool)
    mask[0, 1:6, 4] = True
    mask[0, 3, 2:8] = True
    points, there = extreme_points(mask)
    assert points.tolist() == [[[1, 4], [5, 4], [3, 2], [3, 7]]]
    assert there.tolist() == [True]


def test_in_a_flat_side_the_middle_is_taken() -> None:
    mask = torch.zeros(1, 9, 9, 9, dtype=torch.bool)
    mask[0, 2:7, 1:6, 3:8] = True
    points, _ = extreme_points(mask)
    assert points[0].tolist() == [[2, 3, 5], [6, 3, 5], [4, 1, 5], [4, 5, 5], [4, 3, 3], [4, 3, 7]]


def test_one_voxel_is_all_its_extremes() -> None:
    mask = torch.zeros(1, 4, 5, 6, dtype=torch.bool)
    mask[0, 1, 2, 3] = True
    points, there = extreme_points(mask)
    assert points[0].tolist() == [[1, 2, 3]] * 6
    assert there.all()


def test_nothing_has_none() -> None:
    points, there = extreme_points(torch.zeros(2, 4, 5, dtype=torch.bool))
    assert not there.any()
    assert not points.any()
    assert not gaussians_around(points, there, shape=(4, 5), sigma_voxels=2.0).any()


@given(st.integers(0, 10_000), st.integers(2, 3))
def test_points_lie_on_the_object_and_nothing_lies_beyond(seed: int, dims: int) -> None:
    mask = integers(12, (2, 7, 5, 6)[: dims + 1], seed=seed) == 0
    points, there = extreme_points(mask)
    for member in range(2):
        voxels = mask[member].nonzero()
        assert bool(there[member]) == bool(len(voxels))
        for number, point in enumerate(points[member] if len(voxels) else []):
            assert point.tolist() in voxels.tolist()
            column = voxels[:, number // 2]
            assert point[number // 2] == (column.max() if number % 2 else column.min())


def test_gaussians_add_up_but_the_same_point_counts_once() -> None:
    points = torch.tensor([[[2, 2], [2, 2], [2, 4]]])
    shown = gaussians_around(points, torch.tensor([True]), shape=(5, 6), sigma_voxels=1.0)
    assert shown.shape == (1, 1, 5, 6)
    assert math.isclose(shown[0, 0, 2, 2].item(), 1 + math.exp(-2), rel_tol=1e-6)
    assert math.isclose(shown[0, 0, 2, 3].item(), 2 * math.exp(-0.5), rel_tol=1e-6)
