"""What blending asks of arrays, for torch: see :mod:`vesalia.inference.streaming.arrays`."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vesalia.inference.streaming.arrays import fresh_memory, largest_channel

__all__ = ["TensorArrays"]


@dataclass(frozen=True, slots=True)
class TensorArrays:
    """torch's.

    Attributes:
        device: Where they lie.
    """

    device: torch.device

    @property
    def on_machine(self) -> bool:
        """Whether they lie in the machine's own memory."""
        return self.device.type == "cpu"

    def empty(self, channels: int, shape: Sequence[int]) -> torch.Tensor:
        """Room for ``[channels, *shape]`` float32 values."""
        if self.on_machine:
            return torch.from_numpy(fresh_memory((channels, *shape)))
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
        return self.given(largest_channel(self.plain(values))) if self.on_machine else values.argmax(dim=0)

    def add(self, values: torch.Tensor, others: torch.Tensor, *, out: torch.Tensor) -> None:
        """``values + others``, into ``out``."""
        torch.add(values, others, out=out)

    def divide(self, values: torch.Tensor, by: torch.Tensor, *, out: torch.Tensor) -> None:
        """``values / by``, into ``out``."""
        torch.div(values, by, out=out)

    def take(self, values: torch.Tensor, axis: int, *, index: npt.NDArray[np.int64]) -> torch.Tensor:
        """Places ``index`` along ``axis`` (1 is the first spatial one) of ``[C, *spatial]``, a copy."""
        return values.index_select(axis, torch.from_numpy(index).to(self.device))
