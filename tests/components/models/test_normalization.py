"""Normalisation by v3's three arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.drawn import normal
from vesalia.components.models.normalization import Normalization, clamped_groups


@given(channels=st.integers(1, 300), groups=st.integers(1, 64))
def test_groups_divide_the_channels_and_are_the_most_that_do(channels: int, groups: int) -> None:
    clamped = clamped_groups(channels, groups)
    assert channels % clamped == 0
    assert clamped == max(count for count in range(1, groups + 1) if channels % count == 0)


@pytest.mark.parametrize(
    ("batch", "group", "kind"),
    [(False, True, "group"), (True, False, "batch"), (True, True, "batch"), (False, False, "none")],
)
def test_kind(batch: bool, group: bool, kind: str) -> None:
    assert Normalization(batch, group, 8).kind == kind


def test_layers() -> None:
    group = Normalization(use_batch_norm=False, use_group_norm=True, groups=8).layer(12, dims=3)
    assert isinstance(group, nn.GroupNorm)
    assert (group.num_groups, group.num_channels) == (6, 12)
    batch = Normalization(use_batch_norm=True, use_group_norm=False, groups=8)
    assert isinstance(batch.layer(12, dims=3), nn.BatchNorm3d)
    assert isinstance(batch.layer(12, dims=2), nn.BatchNorm2d)
    nothing = Normalization(use_batch_norm=False, use_group_norm=False, groups=8).layer(12, dims=3)
    features = normal(1, 12, 2, 2, 2)
    assert torch.equal(nothing(features), features)


def test_a_group_of_one_value_becomes_the_shift() -> None:
    group = Normalization(use_batch_norm=False, use_group_norm=True, groups=8).layer(4, dims=3)
    assert group.training
    torch.testing.assert_close(group(normal(1, 4, 1, 1, 1)), torch.zeros(1, 4, 1, 1, 1), atol=1e-4, rtol=0)
