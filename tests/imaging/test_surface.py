"""Distances of surfaces: boxes by hand, spacings, what is empty, and images that end."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from vesalia.imaging.surface import Mask, hausdorff_95, surface_dice, surface_distances


def box(shape: tuple[int, ...], *ranges: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, dtype=np.bool_)
    mask[tuple(slice(*each) for each in ranges)] = True
    return mask


EMPTY = np.zeros((6, 7), dtype=np.bool_)


def test_the_same_mask_is_nowhere_apart() -> None:
    mask = box((9, 8, 7), (2, 6), (1, 5), (3, 6))
    there, back = surface_distances(mask, mask, spacing_mm=(1, 2, 3))
    assert not there.any()
    assert len(there) == len(back) == 4 * 4 * 3 - 2 * 2 * 1
    assert surface_dice(mask, mask, spacing_mm=(1, 2, 3), tolerance_mm=0.0) == 1.0
    assert hausdorff_95(mask, mask, spacing_mm=(1, 2, 3)) == 0.0


def test_a_shift_along_an_axis_is_its_spacing() -> None:
    """Single voxels two rows apart, rows of 2.5 mm."""
    one, other = box((6, 7), (1, 2), (3, 4)), box((6, 7), (3, 4), (3, 4))
    there, back = surface_distances(one, other, spacing_mm=(2.5, 1.0))
    assert (there.tolist(), back.tolist()) == ([5.0], [5.0])
    assert hausdorff_95(one, other, spacing_mm=(2.5, 1.0)) == 5.0
    assert surface_dice(one, other, spacing_mm=(2.5, 1.0), tolerance_mm=4.9) == 0.0
    assert surface_dice(one, other, spacing_mm=(2.5, 1.0), tolerance_mm=5.0) == 1.0


def test_a_tolerance_holds_for_a_spacing_that_was_rounded() -> None:
    one, other = box((6, 7), (1, 2), (3, 4)), box((6, 7), (4, 5), (3, 4))
    assert surface_dice(one, other, spacing_mm=(1.0000001, 1.0), tolerance_mm=3.0) == 1.0


def test_the_border_of_the_image_is_a_surface() -> None:
    whole = np.ones((5, 5), dtype=np.bool_)
    there, _ = surface_distances(whole, whole, spacing_mm=(1, 1))
    assert len(there) == 16


def test_one_voxel_too_many_far_away_is_among_the_worst_5_percent() -> None:
    wanted = box((40, 60), (5, 35), (5, 35))
    predicted = wanted.copy()
    predicted[20, 55] = True
    assert hausdorff_95(predicted, wanted, spacing_mm=(1, 1)) == 0.0
    there, _ = surface_distances(predicted, wanted, spacing_mm=(1, 1))
    assert there.max() == 21.0


def test_what_is_empty() -> None:
    mask = box((6, 7), (1, 3), (2, 4))
    assert math.isnan(hausdorff_95(mask, EMPTY, spacing_mm=(1, 1)))
    assert math.isnan(surface_dice(mask, EMPTY, spacing_mm=(1, 1), tolerance_mm=1.0))
    assert surface_dice(EMPTY, mask, spacing_mm=(1, 1), tolerance_mm=1.0) == 0.0
    assert hausdorff_95(EMPTY, mask, spacing_mm=(2, 1)) == pytest.approx(math.hypot(12, 7))
