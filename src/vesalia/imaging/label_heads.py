"""Which output channels of a classifier belong to which label, and what they say of it.

The channels of all labels lie behind each other in the labels' order: one for a binary label, n for one of n classes.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import torch

from vesalia.errors import ConfigError, DataError

__all__ = ["Heads", "decided", "head_widths", "likelihoods", "require_comparable", "true_channels"]

Heads = tuple[int, ...]
"""Channels per label: 1 for a binary label, n for one of n classes."""

_THRESHOLD = 0.5


def head_widths(channels: int, labels: int, *, label_format: Sequence[int] | None = None) -> Heads:
    """The channels of each label.

    Args:
        channels: Output channels of the network.
        labels: Numbers in a label vector.
        label_format: Channels per label, as the pipeline's ``output_label_format``; None splits them evenly.

    Raises:
        ConfigError: Channels and labels do not fit.
    """
    if label_format is None and labels and channels % labels == 0:
        return (channels // labels,) * labels
    if label_format is not None and len(label_format) == labels and sum(label_format) == channels:
        return tuple(label_format)
    if label_format is None:
        found, expected = f"{channels} output channels for labels of {labels} numbers", "equally many for each"
        write = "label_format: [...] as the pipeline's output_label_format, and num_classes of the model as its sum"
        raise ConfigError(f"label_format: found {found}, expected {expected}; write {write}")
    found = f"{list(label_format)} for {channels} output channels and labels of {labels} numbers"
    expected = f"{labels} numbers that add up to {channels}"
    write = f"num_classes: {sum(label_format)} for the model, or another label_format"
    raise ConfigError(f"label_format: found {found}, expected {expected}; write {write}")


def likelihoods(probabilities: torch.Tensor, heads: Heads) -> torch.Tensor:
    """``[B, C, ...]`` float32: binary channels as they are, those of an n-way label divided by their sum.

    Behind a softmax over all channels that is the softmax over the label's own channels.
    """
    probabilities = probabilities.float()
    if heads == (probabilities.shape[1],):
        return probabilities if heads == (1,) else _shared_out(probabilities)
    parts = probabilities.split(list(heads), dim=1)
    return torch.cat([part if width == 1 else _shared_out(part) for part, width in zip(parts, heads, strict=True)], 1)


def _shared_out(part: torch.Tensor) -> torch.Tensor:
    total = part.sum(dim=1, keepdim=True)
    # Where no channel says anything, the share would be 0/0, and so would its gradient.
    return torch.where(total > 0, part, torch.ones_like(part)) / torch.where(
        total > 0, total, torch.full_like(total, part.shape[1])
    )


def true_channels(target: torch.Tensor, heads: Heads) -> torch.Tensor:
    """Labels ``[B, labels, ...]`` as float32 ``[B, C, ...]``: binary ones as they are, n-way ones one-hot.

    A class number outside the classes belongs to none of them.
    """
    parts = []
    for place, width in enumerate(heads):
        number = target[:, place : place + 1].float()
        if width > 1:
            classes = torch.arange(width, device=target.device, dtype=torch.float32)
            number = (number == classes.view(1, width, *[1] * (target.ndim - 2))).float()
        parts.append(number)
    return torch.cat(parts, dim=1)


def decided(probabilities: torch.Tensor, heads: Heads) -> torch.Tensor:
    """The labels that ``[B, C, ...]`` probabilities stand for, as ``[B, labels, ...]`` whole numbers."""
    parts = probabilities.split(list(heads), dim=1)
    numbers = [part > _THRESHOLD if part.shape[1] == 1 else part.argmax(dim=1, keepdim=True) for part in parts]
    return torch.cat([number.long() for number in numbers], dim=1)


def require_comparable(probabilities: torch.Tensor, target: torch.Tensor) -> None:
    """Require that labels belong to predictions: the same items, the same axes behind the channels.

    Raises:
        DataError: They do not.
    """
    if probabilities.ndim != target.ndim or [*probabilities.shape[:1], *probabilities.shape[2:]] != [
        *target.shape[:1],
        *target.shape[2:],
    ]:
        message = (
            f"label: found {list(target.shape)} for a prediction of {list(probabilities.shape)}, expected a vector of "
            "numbers per image, [B, labels] for [B, C]; write a model for classification and labels that are numbers"
        )
        raise DataError(message)
