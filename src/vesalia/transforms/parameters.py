"""Dice: the few kinds of random number that transforms draw, from a generator that is handed down."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

__all__ = ["chance", "uniform"]


def chance(count: int, generator: torch.Generator, *, probability: float) -> torch.Tensor:
    """``[count]`` booleans, each true with ``probability`` (never for 0, always for 1)."""
    return torch.rand(count, generator=generator) < probability


def uniform(shape: tuple[int, ...], generator: torch.Generator, *, reach: float) -> torch.Tensor:
    """Numbers between ``-reach`` and ``reach``, float32."""
    return (torch.rand(shape, generator=generator) * 2 - 1) * reach
