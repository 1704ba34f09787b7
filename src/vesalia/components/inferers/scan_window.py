"""v3's TFScanWindowInferer: a window that slides over the image, in MONAI's implementation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings
from typing import Literal, cast

import torch

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count, Probability, SizeVoxels

__all__ = ["TFScanWindowInferer"]


class TFScanWindowInferer(Inferer):
    """Runs the network window by window and averages where windows overlap.

    An image smaller than the window is padded with zeros on both sides, and the result cropped back. A window
    that the network cannot take is enlarged to the next size it can.

    Args:
        roi_size: The window; 2 numbers for 2D images.
        batch_size: Windows per forward pass.
        overlap: Share of a window that the next one covers again, 0 to below 1.
        mode: Weight of a window's voxels in the average: all the same, or less towards its faces, where the
            network sees less context.

    Raises:
        ConfigError: ``overlap`` is 1: the window would never move on.
    """

    def __init__(
        self,
        roi_size: SizeVoxels,
        *,
        batch_size: Count = 1,
        overlap: Probability = 0.25,
        mode: Literal["constant", "gaussian"] = "constant",
    ) -> None:
        if not 0 <= overlap < 1:
            raise ConfigError(f"overlap: found {overlap}, expected a number from 0 to below 1; write 0.25")
        self.roi_size = tuple(roi_size)
        self.batch_size = batch_size
        self.overlap = overlap
        self.mode = mode

    @torch.no_grad()
    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        """``[B, C, D, H, W]`` to float32 ``[B, num_classes, D, H, W]``.

        Raises:
            ConfigError: The window has another number of axes than the image.
        """
        if len(self.roi_size) != image.ndim - 2:
            message = (
                f"roi_size: found {list(self.roi_size)} for an image of {list(image.shape[2:])} voxels, expected "
                f"{image.ndim - 2} numbers; write one per axis"
            )
            raise ConfigError(message)
        window = [size + -size % model.size_divisor for size in self.roi_size]
        from monai.inferers.utils import sliding_window_inference  # late: MONAI takes seconds, a check needs none of it

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MONAI warns of its own use of torch
            probabilities = sliding_window_inference(
                image.float(), window, self.batch_size, model, overlap=self.overlap, mode=self.mode
            )
        return cast("torch.Tensor", probabilities)
