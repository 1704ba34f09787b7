"""What blending asks of arrays, for torch: see :mod:`vesalia.inference.streaming.arrays`."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["TensorArrays", "largest_channel"]


@dataclass(frozen=True, slots=True)
class TensorArrays:
    """torch's.

    Attributes:
        device: Where they lie.
        channels_last: Whether channels lie side by side in memory.
    """

    device: torch.device
    channels_last: bool = False

    @property
    def on_machine(self) -> bool:
        """Whether they lie in the machine's own memory."""
        return self.device.type == "cpu"

    def empty(self, channels: int, shape: Sequence[int]) -> torch.Tensor:
        """Room for ``[channels, *shape]`` float32 values."""
        if self.channels_last:
            return torch.empty((*shape, channels), device=self.device).movedim(-1, 0)
        return torch.empty((channels, *shape), device=self.device)

    def given(self, values: npt.NDArray[Any]) -> torch.Tensor:
        """A NumPy array as a tensor."""
        return torch.from_numpy(values).to(self.device)

    def plain(self, values: torch.Tensor) -> npt.NDArray[Any]:
        """A tensor as a NumPy array, without a copy where it lies in the machine's memory."""
        array: npt.NDArray[Any] = values.cpu().numpy()
        return array

    def largest(self, values: torch.Tensor) -> torch.Tensor:
        """The number of the largest channel, the first one of equals."""
        return values.argmax(dim=0) if self.channels_last or not self.on_machine else largest_channel(values)

    def take(self, values: torch.Tensor, axis: int, index: npt.NDArray[np.int64]) -> torch.Tensor:
        """Places ``index`` along ``axis`` (1 is the first spatial one) of ``[C, *spatial]``, a copy."""
        places = torch.from_numpy(index).to(self.device)
        if self.channels_last:
            return values.movedim(0, -1).index_select(axis - 1, places).movedim(-1, 0)
        return values.index_select(axis, places)

    def rows(self, values: torch.Tensor) -> torch.Tensor:
        """``[C, *spatial]`` as ``[voxels, C]``, a view where it can be."""
        return values.movedim(0, -1).reshape(-1, len(values))

    def pick(self, rows: torch.Tensor, index: npt.NDArray[np.int64]) -> torch.Tensor:
        """Some rows of ``[voxels, C]``, a copy."""
        return rows.index_select(0, torch.from_numpy(index).to(self.device))


def largest_channel(values: torch.Tensor) -> torch.Tensor:
    """The number of the largest channel of ``[C, *spatial]``, the first one of equals; uint8 where that suffices."""
    best = values[0].clone()
    index = torch.zeros_like(best, dtype=torch.uint8 if len(values) <= 256 else torch.int16)
    for channel in range(1, len(values)):  # several times faster than argmax over an axis with gaps
        index.masked_fill_(values[channel] > best, channel)
        torch.maximum(best, values[channel], out=best)
    return index
