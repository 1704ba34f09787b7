"""Labels as channels: every voxel in its class, and settings that do not fit refused in words."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import ConfigError
from vesalia.imaging.class_channels import label_masks, require_target_channels, without_background


@given(labels=st.lists(st.integers(0, 9), min_size=1, max_size=30), classes=st.integers(2, 5))
@pytest.mark.parametrize("kind", [torch.uint8, torch.int32, torch.float32])
def test_each_voxel_is_in_its_class_or_in_none(labels: list[int], classes: int, kind: torch.dtype) -> None:
    masks = label_masks(torch.tensor(labels).view(1, 1, -1).to(kind), classes=classes)
    assert masks.dtype is torch.bool
    assert masks[0].tolist() == [[label == number for label in labels] for number in range(classes)]


def test_one_class_is_whatever_is_above_zero() -> None:
    assert label_masks(torch.tensor([[[0, 1, 7]]]), classes=1).tolist() == [[[False, True, True]]]


@pytest.mark.parametrize(("found", "is_onehot"), [(1, False), (3, True)])
def test_channels_that_fit(found: int, is_onehot: bool) -> None:
    require_target_channels(found, classes=3, is_onehot=is_onehot)


@pytest.mark.parametrize(
    ("found", "is_onehot", "message"),
    [
        (1, True, "found true and targets with 1 channels, expected 3; write is_onehot_targets: false"),
        (3, False, "found false and targets with 3 channels, expected 1; write is_onehot_targets: true"),
        (2, True, "found true and targets with 2 channels, expected 3"),
    ],
)
def test_channels_that_do_not(found: int, is_onehot: bool, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        require_target_channels(found, classes=3, is_onehot=is_onehot)


def test_the_background_is_channel_0() -> None:
    first, second = torch.arange(6).view(1, 3, 2), torch.arange(6, 12).view(1, 3, 2)
    assert [part.flatten().tolist() for part in without_background(first, second)] == [[2, 3, 4, 5], [8, 9, 10, 11]]


def test_one_channel_has_no_background() -> None:
    with pytest.raises(ConfigError, match="skip_background: found true for a model with one output channel"):
        without_background(torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
