"""What blending asks of arrays, for NumPy; :mod:`vesalia.inference.streaming.tensors` has the same for torch.

Values are ``[C, *spatial]`` views. Where a network gives channels side by side in memory, sums are kept that way, too.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["Arrays", "NumpyArrays"]


class Arrays(Protocol):
    """Memory, and the few operations that differ between libraries."""

    @property
    def on_machine(self) -> bool:
        """Whether they lie in the machine's own memory."""

    def empty(self, channels: int, shape: Sequence[int]) -> Any:
        """Room for ``[channels, *shape]`` float32 values."""

    def given(self, values: npt.NDArray[Any]) -> Any:
        """A NumPy array as one of these."""

    def plain(self, values: Any) -> npt.NDArray[Any]:
        """One of these as a NumPy array, without a copy where it lies in the machine's memory."""

    def largest(self, values: Any) -> Any:
        """The number of the largest channel of ``[C, *spatial]``, the first one of equals."""

    def take(self, values: Any, axis: int, index: npt.NDArray[np.int64]) -> Any:
        """Places ``index`` along ``axis`` (1 is the first spatial one) of ``[C, *spatial]``, a copy."""

    def rows(self, values: Any) -> Any:
        """``[C, *spatial]`` as ``[voxels, C]``, a view where it can be."""

    def pick(self, rows: Any, index: npt.NDArray[np.int64]) -> Any:
        """Some rows of ``[voxels, C]``, a copy."""


@dataclass(frozen=True, slots=True)
class NumpyArrays:
    """NumPy's.

    Attributes:
        channels_last: Whether channels lie side by side in memory.
        on_machine: They do lie in the machine's own memory.
    """

    channels_last: bool = False
    on_machine: bool = True

    def empty(self, channels: int, shape: Sequence[int]) -> npt.NDArray[np.float32]:
        """Room for ``[channels, *shape]`` float32 values."""
        if self.channels_last:
            return np.moveaxis(np.empty((*shape, channels), dtype=np.float32), -1, 0)
        return np.empty((channels, *shape), dtype=np.float32)

    def given(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array itself."""
        return values

    def plain(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array itself."""
        return values

    def largest(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The number of the largest channel, the first one of equals."""
        if self.channels_last:
            found: npt.NDArray[Any] = np.moveaxis(values, 0, -1).argmax(axis=-1)
            return found
        best, index = values[0].copy(), np.zeros(values.shape[1:], dtype=np.int16)
        for channel in range(1, len(values)):  # several times faster than argmax over an axis with gaps
            np.copyto(index, channel, where=values[channel] > best)
            np.maximum(best, values[channel], out=best)
        return index

    def take(self, values: npt.NDArray[Any], axis: int, index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Places ``index`` along ``axis`` (1 is the first spatial one) of ``[C, *spatial]``, a copy."""
        if self.channels_last:
            return np.moveaxis(np.take(np.moveaxis(values, 0, -1), index, axis=axis - 1), -1, 0)
        return np.take(values, index, axis=axis)

    def rows(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """``[C, *spatial]`` as ``[voxels, C]``, a view where it can be."""
        rows: npt.NDArray[Any] = np.moveaxis(values, 0, -1).reshape(-1, len(values))
        return rows

    def pick(self, rows: npt.NDArray[Any], index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Some rows of ``[voxels, C]``, a copy."""
        return np.take(rows, index, axis=0)
