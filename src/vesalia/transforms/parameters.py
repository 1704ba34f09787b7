"""Dice: the few kinds of random number that transforms draw, from a generator that is handed down."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

__all__ = ["chance", "uniform"]


def chance(count: int, probability: float, generator: torch.Generator) -> torch.Tensor:
    """``[count]`` booleans, each true with ``probability`` (never for 0, always for 1)."""
    return torch.rand(count, generator=generator) < probability


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Numbers between ``low`` and ``high``, float32."""
    return torch.rand(shape, generator=generator) * (high - low) + low
