"""Masks of label values: types, groups, and values that a type cannot hold."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Volume
from vesalia.transforms.label.masks import brats_values, different_names, masks_as_channels, value_masks


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int64, torch.float32])
def test_groups_of_values(dtype: torch.dtype) -> None:
    masks = value_masks(Volume(torch.tensor([[0, 1, 4, 44]], dtype=dtype)), [(1, 4), (300,), (-1,)], field="label")
    assert [mask.flatten().tolist() for mask in masks] == [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert masks[0].dtype == torch.uint8


@given(
    label=st.lists(st.integers(0, 127), min_size=1, max_size=8),
    groups=st.lists(st.sets(st.integers(-300, 300), max_size=4), min_size=1, max_size=3),
    dtype=st.sampled_from([torch.uint8, torch.int8, torch.int16, torch.float32]),
)
def test_a_mask_is_where_the_values_are(label: list[int], groups: list[set[int]], dtype: torch.dtype) -> None:
    masks = value_masks(Volume(torch.tensor([label], dtype=dtype)), [sorted(group) for group in groups], field="label")
    assert [mask.flatten().tolist() for mask in masks] == [[int(each in group) for each in label] for group in groups]


@pytest.mark.parametrize(("channel", "shape"), [("none", (2, 3)), ("first", (1, 2, 3)), ("last", (2, 3, 1))])
def test_channels_lie_where_the_layout_has_them(channel: str, shape: tuple[int, ...]) -> None:
    volume = Volume(torch.zeros(shape), channel=channel)  # type: ignore[arg-type]
    done = masks_as_channels(volume, [(0,), (1,)], field="label")
    assert tuple(done.data.shape) == ((2, 3, 2) if channel == "last" else (2, 2, 3))
    assert done.spatial_shape == (2, 3)


def test_several_channels_are_no_label_map() -> None:
    with pytest.raises(DataError, match=r"'label' with 2 channels.*put ArgmaxAcrossChannels before"):
        value_masks(Volume(torch.zeros(2, 3, 3), channel="first"), [(1,)], field="label")


def test_names_must_differ() -> None:
    with pytest.raises(ConfigError, match="names: found"):
        different_names(["a", "a"], argument="names")


@pytest.mark.parametrize("et_label", [0, 1, 2])
def test_enhancing_tumour_has_a_number_of_its_own(et_label: int) -> None:
    with pytest.raises(ConfigError, match=f"et_label: found {et_label}"):
        brats_values(et_label)
