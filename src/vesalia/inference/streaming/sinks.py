"""Where finished voxels go: labels, masks, or the averages themselves."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from vesalia.imaging.windows import Box
from vesalia.inference.streaming.arrays import Arrays, label_type
from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.shelf import Shelf

__all__ = ["Averages", "Deciding", "Labels", "Masks", "Sink"]


class Sink(Protocol):
    """Takes what is finished."""

    def take(self, finished: Finished, shelf: Shelf) -> None:
        """Do with finished voxels what is to be done; what waits for others may be put on the shelf."""


class Deciding(Sink, Protocol):
    """A sink that can be given averages of any place, such as those of another grid."""

    @property
    def result(self) -> npt.NDArray[Any]:
        """``[channels, *shape]``, complete when all windows have come."""

    def put(self, box: Box, values: Any, *, arrays: Arrays) -> None:
        """Decide ``[C, *box]`` averages; ``box`` is their place in the result."""


class Labels:
    """The number of the largest channel; the first one of equals.

    Args:
        shape: Voxels of the result.
        channels: Channels of what comes.
        order: The axis of the result that each axis of what comes is.
    """

    def __init__(self, shape: Sequence[int], *, channels: int, order: Sequence[int] | None = None) -> None:
        self.result: npt.NDArray[Any] = np.zeros((1, *shape), dtype=label_type(channels))
        self._turned = self.result[0].transpose(tuple(range(len(shape))) if order is None else tuple(order))

    def take(self, finished: Finished, shelf: Shelf) -> None:
        """Decide; an average and a sum are largest in the same channel."""
        self.put(finished.box, finished.sums, arrays=finished.arrays)

    def put(self, box: Box, values: Any, *, arrays: Arrays) -> None:
        """Decide averages."""
        self._turned[box] = arrays.plain(arrays.largest(values))

    def put_labels(self, box: Box, labels: npt.NDArray[Any]) -> None:
        """Take over what is decided already."""
        self._turned[box] = labels


class Masks:
    """1 where a channel is above the threshold, 0 elsewhere.

    Args:
        shape: Voxels of the result.
        channels: Channels of what comes, and of the result.
        threshold: What a value must exceed.
        order: The axis of the result that each axis of what comes is.
    """

    def __init__(
        self, shape: Sequence[int], *, channels: int, threshold: float, order: Sequence[int] | None = None
    ) -> None:
        self.result: npt.NDArray[Any] = np.zeros((channels, *shape), dtype=np.uint8)
        turned = tuple(range(len(shape))) if order is None else tuple(order)
        self._turned = self.result.transpose((0, *(axis + 1 for axis in turned)))
        self.threshold = threshold

    def take(self, finished: Finished, shelf: Shelf) -> None:
        """Average and decide."""
        self.put(finished.box, averaged(finished), arrays=finished.arrays)

    def put(self, box: Box, values: Any, *, arrays: Arrays) -> None:
        """Decide averages."""
        place: Any = (slice(None), *box)
        self._turned[place] = arrays.plain(values > self.threshold)


@dataclass(frozen=True, slots=True)
class Averages:
    """The averages themselves: a volume per class.

    Attributes:
        result: ``[C, *shape]``, an array or a tensor.
    """

    result: Any

    def take(self, finished: Finished, shelf: Shelf) -> None:
        """Average and keep."""
        place: Any = (slice(None), *finished.box)
        self.result[place] = averaged(finished)


def averaged(finished: Finished) -> Any:
    """Sums divided by the sums of the weights."""
    return finished.sums / finished.arrays.given(finished.totals)
