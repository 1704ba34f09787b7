"""v3's TFScanWindowInferer: a window that slides over the image."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Literal

import torch
import torch.nn.functional as F

from vesalia.components.inferers.base import Inferer
from vesalia.components.models.base import Model
from vesalia.errors import ConfigError
from vesalia.imaging.windows import Box, WindowPlan, cut_window, importance
from vesalia.registry.kinds import Count, Probability, SizeVoxels

__all__ = ["TFScanWindowInferer"]


class TFScanWindowInferer(Inferer):
    """Runs the network window by window and averages where windows overlap.

    An image smaller than the window is padded with zeros on both sides, and the result cropped back. A window
    that the network cannot take is enlarged to the next size it can.

    Where the first post-transforms decide the classes (ArgmaxAcrossChannels, ThresholdValues; RestoreOriginalShape
    before them or not), evaluation and inference do that window by window: memory then depends neither on the number
    of classes nor on that of slices.

    Args:
        roi_size: The window; 2 numbers for 2D images.
        batch_size: Windows per forward pass.
        overlap: Share of a window that the next one covers again, 0 to below 1. Windows smaller than what is looked
            for want 0.5 or more.
        mode: Weight of a window's voxels in the average: less towards its faces, where the network sees less context,
            or all the same.

    Raises:
        ConfigError: ``overlap`` is 1: the window would never move on.
    """

    def __init__(
        self,
        roi_size: SizeVoxels,
        *,
        batch_size: Count = 1,
        overlap: Probability = 0.25,
        mode: Literal["constant", "gaussian"] = "gaussian",
    ) -> None:
        if not 0 <= overlap < 1:
            raise ConfigError(f"overlap: found {overlap}, expected a number from 0 to below 1; write 0.25")
        self.roi_size = tuple(roi_size)
        self.batch_size = batch_size
        self.overlap = overlap
        self.mode: Literal["constant", "gaussian"] = mode

    def windows(self, shape: Sequence[int], *, size_divisor: int, lean: bool) -> WindowPlan:
        """The windows of an image.

        Args:
            shape: Its voxels along each axis.
            size_divisor: What the network wants sizes to be multiples of.
            lean: In an order that keeps few voxels waiting; otherwise the last axis goes fastest.

        Raises:
            ConfigError: The window has another number of axes than the image.
        """
        if len(self.roi_size) != len(shape):
            message = (
                f"roi_size: found {list(self.roi_size)} for an image of {list(shape)} voxels, expected "
                f"{len(shape)} numbers; write one per axis"
            )
            raise ConfigError(message)
        window = [size + -size % size_divisor for size in self.roi_size]
        return WindowPlan.of(shape, window, overlap=self.overlap, lean=lean)

    @torch.no_grad()
    def __call__(self, image: torch.Tensor, model: Model) -> torch.Tensor:
        """``[B, C, D, H, W]`` to float32 ``[B, num_classes, D, H, W]``.

        Raises:
            ConfigError: The window has another number of axes than the image.
        """
        plan = self.windows(image.shape[2:], size_divisor=model.size_divisor, lean=False)
        weights = torch.from_numpy(importance(plan.window, self.mode)).to(image.device)
        sums: torch.Tensor | None = None
        totals = torch.zeros(image.shape[2:], device=image.device)
        waiting = ((member, index) for member in range(len(image)) for index in plan)
        while group := list(islice(waiting, self.batch_size)):
            said = model(torch.stack([_seen(image[member], plan, index) for member, index in group]))
            if sums is None:
                sums = torch.zeros(len(image), said.shape[1], *image.shape[2:], device=image.device)
            for (member, index), values in zip(group, said, strict=True):
                box, inside = _places(plan, index)
                weight = weights[inside]
                part = values[_of_all(inside)].float()
                sums[member][_of_all(box)] += part if self.mode == "constant" else part * weight
                if member == 0:
                    totals[box] += weight
        return image.new_empty(0) if sums is None else sums.div_(totals)


def _seen(image: torch.Tensor, plan: WindowPlan, index: tuple[int, ...]) -> torch.Tensor:
    """What a window sees of ``[C, *spatial]``, padded with zeros to its size."""
    view, padding = cut_window(image, plan.start(index), window=plan.window)
    # F.pad counts axes from the last to the first.
    return F.pad(view.float(), [voxels for side in reversed(padding) for voxels in side])


def _places(plan: WindowPlan, index: tuple[int, ...]) -> tuple[Box, Box]:
    """Where a window lies in the image, and which part of the window that is."""
    box, inside = [], []
    for first, edge, size in zip(plan.start(index), plan.window, plan.shape, strict=True):
        start, stop = max(0, first), min(first + edge, size)
        box.append(slice(start, stop))
        inside.append(slice(start - first, stop - first))
    return tuple(box), tuple(inside)


def _of_all(box: Box) -> Any:
    """The box in all channels."""
    return (slice(None), *box)
