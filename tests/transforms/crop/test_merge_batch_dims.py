"""MergeBatchDims: crops of several volumes in one batch, in order."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.base import NOTHING
from vesalia.transforms.crop.merge_batch_dims import MergeBatchDims


def _merged(shape: tuple[int, ...], *, batched: bool = True) -> tuple[torch.Tensor, Volume]:
    data = uniform(*shape)
    volume = Volume(data, channel="first", batched=batched)
    return data, MergeBatchDims("image").apply(Sample({"image": volume}), NOTHING)["image"]


@pytest.mark.parametrize("spatial", [(), (5, 4), (5, 4, 3)])
def test_folds_volumes_and_crops(spatial: tuple[int, ...]) -> None:
    data, merged = _merged((4, 3, 2, *spatial))
    assert merged.data.shape == (12, 2, *spatial)
    assert torch.equal(merged.data[3 * 2 + 1], data[2, 1])
    assert merged.spatial_shape == spatial


def test_volumes_and_crops_of_each_come_back() -> None:
    like = Sample({"image": Volume(uniform(4, 3, 2, 5, 4), channel="first", batched=True)})
    merge = MergeBatchDims("image")
    back = merge.invert(merge.apply(like, NOTHING), NOTHING, like=like)
    assert torch.equal(back["image"].data, like["image"].data)


def test_is_deterministic() -> None:
    assert MergeBatchDims.deterministic


@pytest.mark.parametrize(("shape", "batched"), [((2, 1, 5, 4), True), ((2, 3, 1, 5, 4), False)])
def test_data_without_a_second_batch_axis_is_refused(shape: tuple[int, ...], *, batched: bool) -> None:
    with pytest.raises(DataError, match="after a crop with a batch_size"):
        _merged(shape, batched=batched)
