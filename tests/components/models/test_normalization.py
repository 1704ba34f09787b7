"""Normalisation by v3's three arguments."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.drawn import normal
from vesalia.components.models.normalization import Normalization, allow_single_values, clamped_groups


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


LAYERS = [(nn.BatchNorm1d, 0), (nn.BatchNorm2d, 2), (nn.BatchNorm3d, 3)]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize(("kind", "dims"), LAYERS)
def test_one_value_per_channel_becomes_the_shift_and_says_nothing_of_the_spread(
    kind: type[nn.BatchNorm3d], dims: int, affine: bool
) -> None:
    layer = kind(5, affine=affine)
    if affine:
        nn.init.normal_(layer.bias)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    features = normal(1, 5, *[1] * dims).requires_grad_()
    allow_single_values(nn.Sequential(layer))
    done = layer(features)
    assert torch.equal(done, layer.bias.view(features.shape) if affine else torch.zeros_like(features))
    done.sum().backward()
    assert features.grad is not None
    assert not features.grad.any()
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


@pytest.mark.parametrize(("kind", "dims"), LAYERS)
def test_several_values_are_normalised_as_ever(kind: type[nn.BatchNorm3d], dims: int) -> None:
    plain, layer = kind(5), kind(5)
    allow_single_values(nn.Sequential(layer))
    features = normal(3, 5, *[2] * dims)
    assert torch.equal(layer(features), plain(features))
    assert all(torch.equal(value, plain.state_dict()[name]) for name, value in layer.state_dict().items())
    assert torch.equal(layer.eval()(features[:1]), plain.eval()(features[:1]))
