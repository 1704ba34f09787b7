"""A loss in PyTorch: the Jaccard index of probabilities."""

from __future__ import annotations

import torch

from vesalia.components.losses.base import Loss, compared


class SoftJaccard(Loss):
    """One minus intersection over union, averaged over samples and classes.

    Args:
        skip_background: Leave channel 0 out.
    """

    def __init__(self, *, skip_background: bool = False) -> None:
        self.skip_background = skip_background

    def __call__(self, probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """The loss, a float32 scalar."""
        found, wanted = compared(probabilities, target, skip_background=self.skip_background, is_onehot=False)
        axes = tuple(range(2, found.ndim))
        both = (found * wanted).sum(axes)
        either = (found + wanted).sum(axes) - both
        return 1 - ((both + 1e-5) / (either + 1e-5)).mean()
