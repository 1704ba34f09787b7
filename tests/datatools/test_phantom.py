"""Drawn patients: every organ is there and looks its part, and chance comes from the generator alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from vesalia.datatools.phantom import LABELS, PhantomCase, draw_case


@pytest.fixture(scope="module")
def cases() -> list[PhantomCase]:
    return [draw_case(np.random.default_rng((3, index)), size=40) for index in range(6)]


def test_types_and_shapes(cases: list[PhantomCase]) -> None:
    for case in cases:
        assert case.image.dtype == np.int16
        assert case.label.dtype == np.uint8
        assert case.image.shape == case.label.shape
        assert all(
            abs(size - wanted) <= 0.05 * wanted + 1 for size, wanted in zip(case.image.shape, (40, 40, 30), strict=True)
        )


def test_every_organ_is_in_every_case(cases: list[PhantomCase]) -> None:
    for case in cases:
        assert set(np.unique(case.label)) == set(LABELS)


def test_organs_are_ordered_by_size_and_density(cases: list[PhantomCase]) -> None:
    for case in cases:
        liver, spleen, kidneys = (case.label == value for value in (1, 2, 3))
        assert liver.sum() > 2 * spleen.sum()
        assert np.median(case.image[liver]) < np.median(case.image[spleen]) < np.median(case.image[kidneys])


def test_densities_overlap_so_that_a_threshold_does_not_do(cases: list[PhantomCase]) -> None:
    for case in cases:
        low, high = np.percentile(case.image[case.label == 1], (5, 95))
        assert ((case.image > low) & (case.image < high) & (case.label != 1)).sum() > 0.2 * (case.label == 1).sum()


def test_the_liver_is_on_the_patients_right_whatever_way_x_is_stored(cases: list[PhantomCase]) -> None:
    directions = set()
    for case in cases:
        directions.add(bool(case.affine[0, 0] > 0))
        liver, spleen = (np.argwhere(case.label == value).mean(axis=0) for value in (1, 2))
        right = case.affine[:3, :3] @ (liver - spleen)
        assert right[0] > 20
    assert directions == {True, False}


def test_the_kidneys_are_two(cases: list[PhantomCase]) -> None:
    for case in cases:
        x = np.argwhere(case.label == 3)[:, 0]
        assert np.histogram(x, bins=5)[0][2] < 0.05 * len(x)


def test_edges_are_about_three_millimetres_at_size_64() -> None:
    spacing = np.abs(np.diag(draw_case(np.random.default_rng(0), size=64).affine))[:3]
    assert ((spacing > 2.69) & (spacing < 3.31)).all()


def test_air_and_bone_are_there(cases: list[PhantomCase]) -> None:
    for case in cases:
        assert np.percentile(case.image, 5) < -900
        assert case.image.max() > 200


def test_the_generator_decides() -> None:
    one, two, other = (draw_case(np.random.default_rng(seed), size=24) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.affine, two.affine)
    assert one.image.shape != other.image.shape or (one.image != other.image).any()
