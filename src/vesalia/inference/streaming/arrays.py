"""What blending asks of arrays, for NumPy; :mod:`vesalia.inference.streaming.tensors` has the same for torch.

Values are ``[C, *spatial]``, the voxels of a channel side by side in memory.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import mmap
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from vesalia.imaging.label_loops import label_loops

__all__ = ["Arrays", "NumpyArrays", "fresh_memory", "label_type", "largest_channel"]

_LEAST_MAPPED: Final = 1 << 16


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

    def add(self, values: Any, others: Any, *, out: Any) -> None:
        """``values + others``, into ``out``."""

    def divide(self, values: Any, by: Any, *, out: Any) -> None:
        """``values / by``, into ``out``."""

    def take(self, values: Any, axis: int, *, index: npt.NDArray[np.int64]) -> Any:
        """Places ``index`` along ``axis`` (1 is the first spatial one) of ``[C, *spatial]``, a copy."""


@dataclass(frozen=True, slots=True)
class NumpyArrays:
    """NumPy's.

    Attributes:
        on_machine: They do lie in the machine's own memory.
    """

    on_machine: bool = True

    def empty(self, channels: int, shape: Sequence[int]) -> npt.NDArray[np.float32]:
        """Room for ``[channels, *shape]`` float32 values."""
        return fresh_memory((channels, *shape))

    def given(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array itself."""
        return values

    def plain(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The array itself."""
        return values

    def largest(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The number of the largest channel, the first one of equals."""
        return largest_channel(values)

    def add(self, values: npt.NDArray[Any], others: npt.NDArray[Any], *, out: npt.NDArray[Any]) -> None:
        """``values + others``, into ``out``."""
        np.add(values, others, out=out)

    def divide(self, values: npt.NDArray[Any], by: npt.NDArray[Any], *, out: npt.NDArray[Any]) -> None:
        """``values / by``, into ``out``."""
        np.divide(values, by, out=out)

    def take(self, values: npt.NDArray[Any], axis: int, *, index: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Places ``index`` along ``axis`` (1 is the first spatial one) of ``[C, *spatial]``, a copy."""
        return np.take(values, index, axis=axis)


def fresh_memory(shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """Room that the system has back as soon as it is given up.

    Blocks of many sizes that come and go would otherwise leave holes, and memory would grow beyond what is in use.
    """
    count = prod(shape)
    if 4 * count < _LEAST_MAPPED:
        return np.empty(tuple(shape), dtype=np.float32)
    return np.frombuffer(_mapped(4 * count), dtype=np.float32).reshape(tuple(shape))


def _mapped(count: int) -> mmap.mmap:
    """Memory of this process alone, which systems hand out quicker than what may be shared."""
    if sys.platform == "win32":
        return mmap.mmap(-1, count)
    return mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def label_type(channels: int) -> np.dtype[Any]:
    """The smallest type that holds the number of any of so many channels."""
    return np.dtype(np.uint8 if channels <= 256 else np.int16)


def largest_channel(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The number of the largest channel of ``[C, *spatial]``, the first one of equals; uint8 where that suffices.

    Many times faster than ``argmax`` over an axis with gaps: each step is a few plain passes over neighbours in memory.
    """
    index = np.zeros(values.shape[1:], dtype=label_type(len(values)))
    loops = (
        label_loops(index.dtype, work=values.size) if values.dtype == np.float32 and values.flags.c_contiguous else None
    )
    if loops is not None:
        loops.largest(values.reshape(len(values), -1), index.reshape(-1))
        return index
    best = values[0].copy()
    better, candidate = np.empty(best.shape, dtype=bool), np.empty_like(index)
    for channel in range(1, len(values)):
        np.greater(values[channel], best, out=better)
        np.multiply(better.view(np.uint8), index.dtype.type(channel), out=candidate)
        np.maximum(index, candidate, out=index)
        np.maximum(best, values[channel], out=best)
    return index
