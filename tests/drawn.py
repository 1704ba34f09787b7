"""Tensors of random numbers that are the same in every run: what is drawn depends on the arguments alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

__all__ = ["integers", "normal", "uniform"]


def uniform(*shape: int, seed: int = 1) -> torch.Tensor:
    """Numbers from 0 to 1."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Normally distributed numbers around 0."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def integers(below: int, shape: tuple[int, ...], *, seed: int = 3) -> torch.Tensor:
    """Whole numbers from 0, such as labels; the seeds differ, so that labels do not follow their image."""
    return torch.randint(0, below, shape, generator=torch.Generator().manual_seed(seed))
