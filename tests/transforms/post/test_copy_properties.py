"""CopyProperties: whose affine, and when none fits."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.volume import Sample, Source, Volume
from vesalia.transforms.base import NOTHING
from vesalia.transforms.post.copy_properties import CopyProperties

FILE = Grid((4, 3, 2), np.diag([2.0, 2.0, 2.0, 1.0]))
NOW = np.diag([1.0, 1.0, 1.0, 1.0])
IMAGE = Volume(torch.zeros(8, 6, 4), NOW, source=Source((Path("ct.nii"),), FILE))


def _copied(volume: Volume, **arguments: object) -> Volume:
    copy = CopyProperties("mask", from_field="image", **arguments)  # type: ignore[arg-type] # what tests give
    return copy.apply(Sample({"image": IMAGE, "mask": volume}), NOTHING)["mask"]


def test_the_affine_of_the_same_grid() -> None:
    done = _copied(Volume(torch.ones(8, 6, 4)))
    assert np.array_equal(done.placed, NOW)
    assert done.source is None


def test_a_restored_field_gets_the_affine_of_the_file() -> None:
    assert np.array_equal(_copied(Volume(torch.ones(4, 3, 2))).placed, FILE.affine)


def test_a_field_that_lies_on_the_file_stays_there() -> None:
    image = replace(IMAGE, data=torch.zeros(4, 3, 2))
    sample = Sample({"image": image, "mask": Volume(torch.ones(4, 3, 2), FILE.affine.copy())})
    done = CopyProperties("mask", from_field="image", properties="affine").apply(sample, NOTHING)["mask"]
    assert np.array_equal(done.placed, FILE.affine)


@pytest.mark.parametrize("name", ["source", "filename", "original_shape"])
def test_the_record_of_the_file(name: str) -> None:
    done = _copied(Volume(torch.ones(8, 6, 4)), properties=[name])
    assert done.source is IMAGE.source
    assert done.affine is None


def test_both() -> None:
    done = _copied(Volume(torch.ones(8, 6, 4)), properties=("affine", "source"))
    assert done.source is IMAGE.source
    assert done.affine is NOW


def test_a_field_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(DataError, match="found 'mask' of shape"):
        _copied(Volume(torch.ones(5, 5, 5)))


def test_an_unknown_property_is_refused() -> None:
    with pytest.raises(ConfigError, match="properties: found 'colour'"):
        _copied(Volume(torch.ones(8, 6, 4)), properties=["colour"])
