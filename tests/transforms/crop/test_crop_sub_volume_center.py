"""CropSubVolumeCenter: conformance, the middle by hand, and padding."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.testing.transforms import TransformSuite, example_sample
from vesalia.transforms.base import NOTHING
from vesalia.transforms.crop.crop_sub_volume_center import CropSubVolumeCenter

SIZE = (5, 4, 4)


class TestSmaller(TransformSuite):
    changes_places = True
    inverts = True

    def make(self, dims: int) -> CropSubVolumeCenter:
        return CropSubVolumeCenter(["image", "label"], size=SIZE[:dims])

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return SIZE[: len(shape)]


class TestLarger(TransformSuite):
    changes_places = True
    inverts = True

    def make(self, dims: int) -> CropSubVolumeCenter:
        return CropSubVolumeCenter(["image", "label"], size=(9, 15, 4)[:dims])

    def shape_after(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (9, 15, 4)[: len(shape)]


@pytest.mark.parametrize(
    ("whole", "size", "kept"), [(5, 3, [1, 2, 3]), (6, 2, [2, 3]), (4, 3, [1, 2, 3]), (3, 3, [0, 1, 2])]
)
def test_the_middle(whole: int, size: int, kept: list[int]) -> None:
    image = Volume(torch.arange(whole * 2).view(whole, 2).float() // 2)
    done = CropSubVolumeCenter("image", size=(size, 2))(Sample({"image": image}), torch.Generator())["image"]
    assert done.data[:, 0].tolist() == kept


@given(st.tuples(*[st.integers(1, 6)] * 3), st.tuples(*[st.integers(1, 9)] * 3))
def test_cut_away_is_zero_and_the_rest_comes_back(shape: tuple[int, int, int], size: tuple[int, int, int]) -> None:
    sample, crop = example_sample(shape), CropSubVolumeCenter("image,label", size=size)
    done = crop.apply(sample, NOTHING)
    back = crop.invert(done, NOTHING, like=sample)
    kept = min(shape[0], size[0]) * min(shape[1], size[1]) * min(shape[2], size[2])
    assert int((back["image"].data[0] > 0).sum()) == int((done["image"].data[0] > 0).sum()) == kept
    seen = back["image"].data[:1] > 0
    assert torch.equal(back["label"].data, sample["label"].data * seen)


def test_a_size_of_another_number_of_axes_is_refused() -> None:
    with pytest.raises(DataError, match="expected 3 spatial axes"):
        CropSubVolumeCenter("image", size=(3, 3, 3))(example_sample((5, 5)), torch.Generator())
