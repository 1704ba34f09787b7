"""Keeps convolutions on tiny grids in float32: on CPUs their bfloat16 gradients can be wrong."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import torch

__all__ = ["SMALLEST_SAFE_EDGE", "apply_on_any_grid"]

SMALLEST_SAFE_EDGE = 4
"""Voxels along the shortest axis from which bfloat16 convolutions are trusted on CPUs."""


def apply_on_any_grid(
    layer: Callable[..., torch.Tensor], features: torch.Tensor, *others: torch.Tensor, stride: int = 1
) -> torch.Tensor:
    """``layer(features, *others)``, in float32 where CPU autocast would meet a grid that is too small for it.

    Under bfloat16 autocast oneDNN's weight gradient of a 3 x 3 x 3 convolution over a grid 2 voxels deep reads
    memory that nobody has written: NaN at times, wrong numbers at others, and never the same twice (seen with
    torch 2.13; grids 3 voxels deep, strided and transposed convolutions and float32 are right). Such grids are the
    deepest levels of a network, where float32 costs next to nothing, so all below 4 voxels are kept in it. On
    other devices, without autocast and on larger grids nothing changes.

    Args:
        layer: Convolutions and what follows them.
        features: ``[B, C, ...]``; where there are others, the one with the smallest grid.
        others: What else the layer takes.
        stride: The layer's stride; the grid that comes out counts too.
    """
    on_cpu = features.device.type == "cpu" and torch.is_autocast_enabled("cpu")
    if not on_cpu or min(features.shape[2:]) // stride >= SMALLEST_SAFE_EDGE:
        return layer(features, *others)
    with torch.autocast("cpu", enabled=False):
        return layer(features.float(), *(other.float() for other in others))
