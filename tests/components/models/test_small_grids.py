"""Tiny grids stay in float32 under CPU autocast, and nothing else does."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.drawn import normal
from vesalia.components.models.small_grids import SMALLEST_SAFE_EDGE, apply_on_any_grid


@pytest.fixture
def layer() -> nn.Conv3d:
    return nn.Conv3d(2, 2, 3, padding=1)


@pytest.mark.parametrize(
    ("size", "stride", "expected"),
    [
        ((4, 4, 4), 1, torch.bfloat16),
        ((4, 3, 4), 1, torch.float32),
        ((8, 8, 8), 2, torch.bfloat16),
        ((8, 7, 8), 2, torch.float32),
    ],
)
def test_number_format_under_autocast(
    layer: nn.Conv3d, size: tuple[int, ...], stride: int, expected: torch.dtype
) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        features = apply_on_any_grid(layer, normal(1, 2, *size).bfloat16(), stride=stride)
    assert features.dtype is expected


def test_without_autocast_nothing_changes(layer: nn.Conv3d) -> None:
    features = normal(1, 2, 2, 2, 2)
    assert torch.equal(apply_on_any_grid(layer, features), layer(features))


def test_gradients_on_tiny_grids_are_those_of_float32() -> None:
    """The case that goes wrong in bfloat16 on CPUs that have it: a grid 2 voxels deep, in memory full of NaN."""
    layer = nn.Conv3d(32, 32, 3, padding=1)
    features = normal(2, 32, 2, SMALLEST_SAFE_EDGE - 1, 2)
    (expected,) = torch.autograd.grad(layer(features).square().sum(), layer.weight)
    for _ in range(10):
        leftovers = [torch.full((length,), torch.nan) for length in (200, 5_000, 60_000, 200_000)]
        del leftovers
        with torch.autocast("cpu", torch.bfloat16):
            result = apply_on_any_grid(layer, features)
        (gradient,) = torch.autograd.grad(result.square().sum(), layer.weight)
        assert torch.equal(gradient, expected)


def test_all_inputs_follow_the_smallest_grid() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        result = apply_on_any_grid(torch.add, torch.ones(1, 1, 2, 2).bfloat16(), torch.ones(1, 1, 2, 2).bfloat16())
    assert result.dtype is torch.float32
