"""Subjects for the metrics of surfaces: squares that lie on each other, or do not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

__all__ = ["fields_of", "square"]


def square(*, at: int, value: int = 1) -> torch.Tensor:
    """``[1, 12, 12]``, a square of 4 voxels' edge that starts at ``at`` in both axes."""
    label = torch.zeros(1, 12, 12, dtype=torch.long)
    label[0, at : at + 4, at : at + 4] = value
    return label


def fields_of(predicted: torch.Tensor, label: torch.Tensor) -> dict[str, torch.Tensor]:
    """The fields of a subject whose network was sure of two classes."""
    probabilities = torch.nn.functional.one_hot(predicted[0], 2).movedim(-1, 0).float()
    return {"model": probabilities, "label": label}
