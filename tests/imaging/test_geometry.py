"""Affines and grids: what a crop, a flip, a permutation and a resize do to where voxels lie."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.geometry import (
    Grid,
    crop_affine,
    flip_affine,
    index_map,
    permute_affine,
    resize_affine,
    spacing_mm,
)
from vesalia.testing.transforms import oblique_affine

AFFINE = oblique_affine(seed=3)


def _at(affine: np.ndarray, *index: float) -> np.ndarray:
    return np.asarray(affine @ [*index, *[0.0] * (3 - len(index)), 1.0])


def test_spacing_of_an_oblique_affine() -> None:
    assert spacing_mm(AFFINE) == pytest.approx((1.5, 0.8, 2.0))
    assert spacing_mm(AFFINE, dims=2) == pytest.approx((1.5, 0.8))
    assert Grid((4, 3, 2), AFFINE).spacing_mm == pytest.approx((1.5, 0.8, 2.0))


def test_a_crop_begins_where_it_began() -> None:
    assert np.allclose(_at(crop_affine(AFFINE, (2, -1, 3)), 0, 0, 0), _at(AFFINE, 2, -1, 3))
    assert np.allclose(_at(crop_affine(AFFINE, (2, 1)), 0, 0, 0), _at(AFFINE, 2, 1, 0))


def test_a_flip_swaps_the_ends() -> None:
    flipped = flip_affine(AFFINE, [0, 2], shape=(5, 4, 3))
    assert np.allclose(_at(flipped, 0, 1, 0), _at(AFFINE, 4, 1, 2))


def test_a_permutation_moves_the_axes() -> None:
    assert np.allclose(_at(permute_affine(AFFINE, (2, 0, 1)), 7, 8, 9), _at(AFFINE, 8, 9, 7))


def test_nothing_changes_the_affine_that_came_in() -> None:
    before = AFFINE.copy()
    crop_affine(AFFINE, (1, 1, 1))
    flip_affine(AFFINE, [0], shape=(5, 4, 3))
    permute_affine(AFFINE, (2, 0, 1))
    resize_affine(AFFINE, (4, 4, 4), new_shape=(8, 8, 8))
    assert np.array_equal(AFFINE, before)


@given(st.tuples(*[st.integers(1, 20)] * 3), st.tuples(*[st.integers(1, 20)] * 3))
def test_a_resize_keeps_the_outer_edges(old: tuple[int, int, int], new: tuple[int, int, int]) -> None:
    resized = resize_affine(AFFINE, old, new_shape=new)
    assert np.allclose(_at(resized, -0.5, -0.5, -0.5), _at(AFFINE, -0.5, -0.5, -0.5))
    assert np.allclose(_at(resized, *[n - 0.5 for n in new]), _at(AFFINE, *[n - 0.5 for n in old]))


def test_grids_match_when_their_voxels_do() -> None:
    grid = Grid((4, 3, 2), AFFINE)
    assert grid.matches(Grid((4, 3, 2), AFFINE + 1e-6))
    assert not grid.matches(Grid((4, 3, 3), AFFINE))
    assert not grid.matches(Grid((4, 3, 2), crop_affine(AFFINE, (0, 0, 1))))
    assert not grid.matches(Grid((4, 3, 2), AFFINE @ np.diag([1.01, 1, 1, 1])))
    assert grid.matches(Grid((4, 3, 2), AFFINE @ np.diag([1.01, 1, 1, 1])), tolerance_mm=1)


def test_one_thick_slices_of_different_thickness_do_not_match() -> None:
    thick = AFFINE @ np.diag([1, 1, 2, 1])
    assert not Grid((4, 3, 1), AFFINE).matches(Grid((4, 3, 1), thick))


def test_corners() -> None:
    corners = Grid((5, 4), np.diag([2.0, 3.0, 1.0, 1.0])).corners_mm()
    assert {tuple(corner) for corner in corners} == {(0, 0, 0), (8, 0, 0), (0, 9, 0), (8, 9, 0)}


def test_index_map_takes_one_grid_to_the_other() -> None:
    source, target = Grid((5, 4, 3), AFFINE), Grid((3, 3, 3), oblique_affine(seed=9))
    matrix, offset = index_map(source, target)
    index = matrix @ [1.0, 2.0, 0.5] + offset
    assert np.allclose(_at(source.affine, *index), _at(target.affine, 1.0, 2.0, 0.5))
