"""Dice: the few kinds of random number that transforms draw, from a generator that is handed down."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from vesalia.errors import ConfigError

__all__ = ["between", "bounds_of", "chance", "uniform"]


def chance(count: int, generator: torch.Generator, *, probability: float) -> torch.Tensor:
    """``[count]`` booleans, each true with ``probability`` (never for 0, always for 1)."""
    return torch.rand(count, generator=generator) < probability


def uniform(shape: tuple[int, ...], generator: torch.Generator, *, reach: float) -> torch.Tensor:
    """Numbers between ``-reach`` and ``reach``, float32."""
    return (torch.rand(shape, generator=generator) * 2 - 1) * reach


def between(shape: tuple[int, ...], generator: torch.Generator, *, bounds: tuple[float, float]) -> torch.Tensor:
    """Numbers between the two ``bounds``, float32."""
    low, high = bounds
    return low + (high - low) * torch.rand(shape, generator=generator)


def bounds_of(value: float | Sequence[float], *, name: str, least: float = -math.inf) -> tuple[float, float]:
    """What a config means by a number (both bounds) or by two (the lower and the upper one).

    Raises:
        ConfigError: Not one or two numbers, the first larger than the second, or below ``least``.
    """
    numbers = tuple(value) if isinstance(value, Sequence) else (value,)
    if len(numbers) not in {1, 2} or numbers[0] > numbers[-1] or numbers[0] < least:
        from_here = "" if least == -math.inf else f" from {least:g} upwards"
        message = f"{name}: found {list(numbers)}, expected a number, or the smaller and the larger of two{from_here}"
        raise ConfigError(f"{message}; write {name}: [{max(least, 0.5):g}, {2 * max(least, 0.5):g}]")
    return float(numbers[0]), float(numbers[-1])
