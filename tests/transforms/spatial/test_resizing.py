"""The same field of view in other voxels: sizes, and numbers per axis."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.drawn import integers, uniform
from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import oblique_affine
from vesalia.transforms.spatial.resizing import (
    per_axis,
    resize_fields,
    resize_fields_back,
    resized,
    resized_back,
    scaled_shape,
    shape_at_spacing,
    target_spacing_mm,
)


def test_numbers_per_axis() -> None:
    assert per_axis([2], 3, name="n") == (2, 2, 2)
    assert per_axis([1, 2, 3], 2, name="n") == (1, 2)
    with pytest.raises(DataError, match=r"n: found \[1, 2\], expected one number or 3"):
        per_axis([1, 2], 3, name="n")


def test_halves_go_up_and_no_axis_vanishes() -> None:
    assert scaled_shape((5, 3, 2), (0.5, 1 / 3, 0.01)) == (3, 1, 1)


def test_a_spacing_says_how_many_voxels_there_are() -> None:
    volume = Volume(uniform(4, 6), np.diag([1.0, 2.0, 1.0, 1.0]))
    assert shape_at_spacing(volume, target_spacing_mm([0.5], name="n"), name="n") == (8, 24)
    with pytest.raises(ConfigError, match=r"n: found \[1, 0\], expected numbers above 0 in mm; write"):
        target_spacing_mm([1, 0], name="n")


def test_the_field_of_view_stays() -> None:
    volume = Volume(uniform(4, 6), oblique_affine())
    done = resized(volume, (8, 3), mode="linear")
    assert np.allclose(np.array(done.spacing_mm) * (8, 3), np.array(volume.spacing_mm) * (4, 6))
    assert resized_back(done, volume, mode="linear").affine is volume.affine


def test_fields_are_read_as_what_they_are() -> None:
    sample = Sample({"image": Volume(uniform(4, 4)), "label": Volume(integers(2, (4, 4)).float() * 9)})
    done = resize_fields(sample, ["image", "label"], shape_of=lambda _: (7, 7), is_label=None)
    assert set(done["label"].data.unique().tolist()) == {0.0, 9.0}
    back = resize_fields_back(done, ["label"], like=sample, is_label=None)
    assert torch.equal(back["label"].data, sample["label"].data)
