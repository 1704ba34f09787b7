"""The decision of a subject: made once the number of classes is known."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.chain import Target
from vesalia.inference.streaming.restoring import Restoring
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Deciding, Labels, Masks, Sink

__all__ = ["Decision"]


class Decision:
    """Brings what is finished to a grid and decides it there.

    Args:
        target: The grid.
        threshold: What a value must exceed; None to take the largest channel.
    """

    def __init__(self, target: Target, *, threshold: float | None) -> None:
        self._target = target
        self._threshold = threshold
        self._deciding: Deciding | None = None
        self._sink: Sink | None = None

    @property
    def result(self) -> npt.NDArray[Any]:
        """``[1, *shape]`` labels, or ``[C, *shape]`` masks, when all windows have come."""
        return np.zeros((0, *self._target.grid.shape), np.uint8) if self._deciding is None else self._deciding.result

    def take(self, finished: Finished, shelf: Shelf) -> None:
        """Take finished voxels."""
        if self._sink is None:
            self._deciding, self._sink = self._made(channels=len(finished.sums))
        self._sink.take(finished, shelf)

    def _made(self, *, channels: int) -> tuple[Deciding, Sink]:
        steps, shape = self._target.steps, self._target.grid.shape
        order = None if steps is None else np.argsort([step.source_axis for step in steps]).tolist()
        deciding: Deciding = (
            Labels(shape, channels=channels, order=order)
            if self._threshold is None
            else Masks(shape, channels=channels, threshold=self._threshold, order=order)
        )
        return deciding, deciding if steps is None else Restoring(steps, deciding)
