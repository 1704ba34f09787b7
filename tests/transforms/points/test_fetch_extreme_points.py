"""FetchExtremePoints: points follow the image through resampling and crops."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalia.errors import DataError
from vesalia.imaging.geometry import Grid, crop_affine, resize_affine
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.testing.transforms import oblique_affine
from vesalia.transforms.base import NOTHING
from vesalia.transforms.points.fetch_extreme_points import FetchExtremePoints


def fetched(image: Volume, points: Sequence[float | Sequence[float]]) -> list[list[int]]:
    sample = Sample({"image": image, "points": Volume(torch.tensor(points))})
    fetch = FetchExtremePoints("image", "label", "points")
    assert fetch.fields == ("label",)
    label = fetch.apply(sample, NOTHING)["label"]
    assert label.data.dtype == torch.uint8
    found: list[list[int]] = label.as_batch()[0, 0].nonzero().tolist()
    return found


def test_without_a_file_points_are_voxels_of_the_image() -> None:
    assert fetched(Volume(torch.zeros(6, 5)), [[1, 2], [4, 0]]) == [[1, 2], [4, 0]]
    assert fetched(Volume(torch.zeros(2, 6, 5), channel="first"), [1.0, 2.0, 4.0, 0.0])[0] == [1, 2]


def test_points_follow_a_resampled_and_cropped_image() -> None:
    affine = oblique_affine()
    file = Grid((10, 12, 8), affine)
    source = Source((Path("a.nii.gz"),), file)
    halved = crop_affine(resize_affine(affine, file.shape, new_shape=(5, 6, 4)), (1, 2, 0))
    image = Volume(torch.zeros(1, 4, 4, 4), halved, "first", source=source)
    assert fetched(image, [[4, 6, 3], [9, 11, 7], [0, 0, 0]]) == [[0, 0, 0], [1, 1, 1], [3, 3, 3]]
    assert np.allclose(image.placed, halved)


@pytest.mark.parametrize("points", [[], [1.0, 2.0, 3.0]])
def test_numbers_that_are_no_points(points: list[float]) -> None:
    with pytest.raises(DataError, match=f"found {len(points)} numbers in 'points', expected 2 per point"):
        fetched(Volume(torch.zeros(6, 5)), points)
