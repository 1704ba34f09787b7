"""v3's TFSimpleInferer: one pass over the whole image."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
import torch.nn.functional as F

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model

__all__ = ["TFSimpleInferer"]


class TFSimpleInferer(Inferer):
    """One forward pass.

    An image whose size the network cannot take is padded with zeros on both sides, and the result cropped back.
    """

    @torch.no_grad()
    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        """``[B, C, D, H, W]`` to float32 ``[B, num_classes, D, H, W]``; of a classifier ``[B, num_classes]``."""
        missing = [-size % model.size_divisor for size in image.shape[2:]]
        before = [voxels // 2 for voxels in missing]
        sides = [(start, voxels - start) for start, voxels in zip(before, missing, strict=True)]
        # F.pad counts axes from the last to the first.
        padded = F.pad(image.float(), [voxels for side in reversed(sides) for voxels in side])
        probabilities: torch.Tensor = model(padded)
        if probabilities.ndim != image.ndim:
            return probabilities
        for axis, (start, size) in enumerate(zip(before, image.shape[2:], strict=True), start=2):
            probabilities = probabilities.narrow(axis, start, size)
        return probabilities
