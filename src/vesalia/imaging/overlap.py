"""How much a predicted label map overlaps with the true one: the Dice coefficient, class by class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.errors import DataError

__all__ = ["dice_of_labels", "dice_of_masks", "present_mean", "require_same_shape", "sums_to_one"]


_SLAB_VOXELS = 1 << 19
"""Label maps are counted in parts of so many voxels, so that the memory for it does not grow with the volume."""


def dice_of_masks(predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Dice per channel of two boolean masks.

    Source: Dice, 1945, doi:10.2307/1932409: ``2 |P and W| / (|P| + |W|)``.

    Args:
        predicted: ``[C, ...]``, boolean.
        wanted: The same shape, boolean.

    Returns:
        ``[C]`` float64; NaN where ``wanted`` is empty.

    Raises:
        DataError: The shapes differ.
    """
    require_same_shape(predicted, wanted)
    predicted, wanted = predicted.flatten(1), wanted.flatten(1)
    both = (predicted & wanted).sum(1)
    return _dice(both, predicted=predicted.sum(1), wanted=wanted.sum(1))


def dice_of_labels(predicted: torch.Tensor, wanted: torch.Tensor, *, classes: int) -> torch.Tensor:
    """Dice per class of two label maps, in one pass over the voxels.

    Args:
        predicted: Integer labels below ``classes``, any shape.
        wanted: Integer labels of the same shape; a label outside the classes belongs to none of them.
        classes: How many there are, background included.

    Returns:
        ``[classes]`` float64; NaN where ``wanted`` lacks the class.

    Raises:
        DataError: The shapes differ.
    """
    require_same_shape(predicted, wanted)
    table = sum(
        (_pair_counts(*slabs, classes) for slabs in zip(_slabs(predicted), _slabs(wanted), strict=True)),
        start=torch.zeros(classes + 1, classes, dtype=torch.long, device=predicted.device),
    )
    return _dice(table[:classes].diagonal(), predicted=table.sum(0), wanted=table[:classes].sum(1))


def _slabs(labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Views of ``labels`` along its longest axis, of about :data:`_SLAB_VOXELS` each."""
    labels = torch.atleast_1d(labels)
    axis = max(range(labels.ndim), key=lambda axis: labels.shape[axis])
    thickness = _SLAB_VOXELS * labels.shape[axis] // max(1, labels.numel())
    slabs: tuple[torch.Tensor, ...] = labels.split(max(1, thickness), dim=axis)
    return slabs


def _pair_counts(predicted: torch.Tensor, wanted: torch.Tensor, classes: int) -> torch.Tensor:
    """``[classes + 1, classes]``: voxels by wanted (the last row: outside the classes) and predicted label."""
    predicted, wanted = predicted.flatten().long(), wanted.flatten().long()
    outside = (wanted < 0) | (wanted >= classes)
    pairs = wanted.masked_fill(outside, classes) * classes + predicted
    return torch.bincount(pairs, minlength=(classes + 1) * classes).view(classes + 1, classes)


def present_mean(scores: torch.Tensor) -> torch.Tensor:
    """The mean of the scores that are not NaN, over the last axis; NaN where all are."""
    present = ~scores.isnan()
    return scores.nansum(-1) / present.sum(-1)


def sums_to_one(probabilities: torch.Tensor, *, tolerance: float = 1e-3) -> bool:
    """Whether ``[C, ...]`` probabilities are shares of one whole (softmax), not channel by channel (sigmoid)."""
    return bool(((probabilities.sum(0) - 1).abs() <= tolerance).all())


def _dice(both: torch.Tensor, *, predicted: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    dice = 2 * both.double() / (predicted + wanted).double()
    return dice.masked_fill(wanted == 0, torch.nan)


def require_same_shape(predicted: torch.Tensor, wanted: torch.Tensor) -> None:
    """Require that prediction and label have the same voxels.

    Raises:
        DataError: They do not.
    """
    if predicted.shape != wanted.shape:
        message = (
            f"label: found {list(wanted.shape)} voxels, expected the prediction's {list(predicted.shape)}; bring image "
            "and label to the same grid (the same resampling and crops for both)"
        )
        raise DataError(message)
