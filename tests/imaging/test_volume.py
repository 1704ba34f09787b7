"""Volumes and samples: layouts, places, and fields that are missing."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.drawn import uniform
from vesalia.errors import DataError
from vesalia.imaging.volume import ChannelAxis, Sample, Volume

LAYOUTS: list[tuple[ChannelAxis, tuple[int, ...]]] = [("none", (4, 3)), ("first", (2, 4, 3)), ("last", (4, 3, 2))]


@given(st.sampled_from(LAYOUTS), st.booleans(), st.booleans())
def test_as_batch_and_back(layout: tuple[ChannelAxis, tuple[int, ...]], batched: bool, deep: bool) -> None:
    channel, shape = layout
    shape = (*shape[:1], 4, *shape[1:]) if deep and channel != "first" else shape
    volume = Volume(uniform(*((5, *shape) if batched else shape)), channel=channel, batched=batched)
    batch = volume.as_batch()
    assert batch.shape == (5 if batched else 1, 1 if channel == "none" else 2, *volume.spatial_shape)
    assert batch.untyped_storage().data_ptr() == volume.data.untyped_storage().data_ptr()
    back = volume.from_batch(batch)
    assert torch.equal(back.data, volume.data)
    assert (back.channel, back.batched) == (channel, batched)


def test_whole_numbers_are_made_fractions_to_compute_with() -> None:
    whole, half = Volume(torch.ones(4, 3, dtype=torch.uint8)), Volume(torch.ones(4, 3, dtype=torch.float16))
    assert whole.as_float_batch().dtype == torch.float32
    assert half.as_float_batch().dtype == torch.float16
    assert half.as_float_batch().data_ptr() == half.data.data_ptr()


def test_from_batch_takes_another_affine() -> None:
    volume = Volume(uniform(4, 3), np.eye(4))
    assert volume.from_batch(volume.as_batch()).affine is volume.affine
    moved = np.diag([2.0, 2.0, 2.0, 1.0])
    assert volume.from_batch(volume.as_batch(), affine=moved).affine is moved


def test_place() -> None:
    volume = Volume(uniform(4, 3, 2), np.diag([1.0, 2.0, 3.0, 1.0]))
    assert volume.spacing_mm == pytest.approx((1.0, 2.0, 3.0))
    assert volume.grid.shape == (4, 3, 2)
    assert np.array_equal(Volume(uniform(4, 3)).placed, np.eye(4))


def test_a_missing_field_is_named_with_those_there_are() -> None:
    sample = Sample({"image": Volume(uniform(4, 3))}, name="case")
    with pytest.raises(DataError, match="case: found no field 'label', expected one of: image"):
        _ = sample["label"]
    with pytest.raises(DataError, match="sample: found no field 'label', expected one of: none"):
        _ = Sample()["label"]


def test_with_fields_leaves_the_sample_alone() -> None:
    sample = Sample({"image": Volume(uniform(4, 3))}, name="case", prepared={"a": torch.ones(1)})
    more = sample.with_fields(label=Volume(torch.zeros(4, 3)))
    assert set(sample.fields) == {"image"}
    assert set(more.fields) == {"image", "label"}
    assert more.name == "case"
    assert more.prepared is sample.prepared
