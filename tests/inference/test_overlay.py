"""Overlays: a PNG whose colours lie where the outlines are."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

import numpy as np
import torch
from PIL import Image

from tests.drawn import uniform
from vesalia.imaging.volume import Volume
from vesalia.inference.overlay import PREDICTION_COLOUR, TRUTH_COLOUR, grey_window, outline, overlay_png

AFFINE = np.diag([1.0, 1.0, 4.0, 1.0])


def ball(radius: float, shift: int = 0) -> Volume:
    i, j, k = torch.meshgrid(*[torch.arange(float(n)) for n in (32, 32, 8)], indexing="ij")
    inside = (i - 16 - shift) ** 2 + (j - 16) ** 2 + (4 * k - 16) ** 2 < radius**2
    return Volume(inside.to(torch.uint8), AFFINE)


def pixels(png: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.array(Image.open(io.BytesIO(png)).convert("RGB"))


def count(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], colour: tuple[int, int, int]) -> int:
    return int((picture == colour).all(axis=-1).sum())


IMAGE = Volume(torch.rand(32, 32, 8, generator=torch.Generator().manual_seed(1)), AFFINE)


def test_both_outlines_are_seen_where_they_agree() -> None:
    picture = pixels(overlay_png(IMAGE, label=ball(9), prediction=ball(9)))
    assert count(picture, TRUTH_COLOUR) > 200
    assert count(picture, PREDICTION_COLOUR) > 200


def test_only_what_is_given_is_drawn() -> None:
    plain, truth = pixels(overlay_png(IMAGE)), pixels(overlay_png(IMAGE, label=ball(9)))
    assert count(plain, TRUTH_COLOUR) == count(plain, PREDICTION_COLOUR) == 0
    assert count(truth, TRUTH_COLOUR) > 200
    assert count(truth, PREDICTION_COLOUR) == 0


def test_the_same_case_gives_the_same_bytes() -> None:
    assert overlay_png(IMAGE, label=ball(9)) == overlay_png(IMAGE, label=ball(9))


def test_proportions_follow_the_spacing() -> None:
    # 32 x 32 x 8 voxels of 1 x 1 x 4 mm are a cube: every slice fills its square.
    picture = pixels(overlay_png(Volume(torch.ones(32, 32, 8) * torch.arange(8.0), AFFINE)))
    assert picture.shape == (300, 3 * 300 + 2 * 8, 3)
    flat = pixels(overlay_png(Volume(uniform(32, 32, 8) + 5, np.eye(4))))
    middle = flat[:, 308 + 150]  # the coronal slice: 8 of 32 mm high
    lit = np.flatnonzero(middle.max(axis=-1) > 60)
    inner = lit[(lit > 20) & (lit < 280)]  # without the letters at the edges
    assert 60 <= np.ptp(inner) <= 76


def test_a_flat_image_gives_one_square() -> None:
    picture = pixels(overlay_png(Volume(uniform(20, 30)), label=Volume(torch.ones(20, 30))))
    assert picture.shape == (300, 300, 3)


def test_the_window_ignores_outliers_and_what_is_no_number() -> None:
    data = torch.linspace(0, 1, 1000)
    data[:2], data[2] = 1e6, torch.nan
    low, high = grey_window(Volume(data.reshape(10, 10, 10)))
    assert 0 < low < 0.1
    assert 0.9 < high < 1.1
    assert grey_window(Volume(torch.full((2, 2, 2), 3.0))) == (3, 3)
    assert grey_window(Volume(torch.full((2, 2, 2), torch.nan))) == (0, 1)


def test_hardly_any_foreground_still_gives_a_window() -> None:
    data = torch.zeros(20, 20, 20)
    data[0, 0, 0] = 5
    assert grey_window(Volume(data)) == (0, 5)
    assert len(overlay_png(Volume(torch.full((4, 4, 4), torch.nan)))) > 0


def test_each_class_is_outlined_on_its_inner_edge() -> None:
    classes = np.zeros((10, 10), dtype=np.int16)
    classes[2:8, 2:5] = 1
    classes[2:8, 5:8] = 2
    edge = outline(classes, shape=(10, 10), width=1)
    assert not edge[:2].any()
    assert edge[2, 2:8].all()
    assert edge[4, 4]
    assert edge[4, 5]  # the border between the two
    assert not edge[4, 3]


def test_nothing_to_outline() -> None:
    assert not outline(np.zeros((4, 4), dtype=np.int16), shape=(8, 8), width=2).any()
