"""Memory for batches, used again once nobody holds it: a fresh page costs several times what writing to it does."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from vesalia.imaging.volume import Volume

__all__ = ["BatchRoom", "Buffers"]

_USES_UNSEEN: Callable[[int], int] | None = getattr(torch._C, "_storage_Use_Count", None)  # noqa: SLF001 - no public name
"""Counts who holds a storage. Where torch lacks it, nothing is used again, and nothing else changes."""


class Buffers:
    """Blocks of memory that batches were written to.

    A block is given out again when this object alone holds its storage: a view that somebody kept keeps it away, a
    NumPy view as well. Only host memory is kept; pinned memory and the GPU's are recycled by torch itself.

    Whole volumes may have shapes that never come again. Where none of the free blocks has the shape that is wanted, the
    free ones are kept up to the bytes that are in use: those go first that were wanted longest ago.

    Threads: any may take; a lock guards the list.
    """

    def __init__(self, *, pinned: bool = False, keep: int = 16) -> None:
        """Begin without memory.

        Args:
            pinned: Whether blocks are page-locked, for transfers to a GPU.
            keep: Blocks that are kept at most.
        """
        self._pinned, self._keep = pinned, keep
        self._blocks: list[torch.Tensor] = []
        self._lock = threading.Lock()

    def take(self, shape: Sequence[int], *, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Contiguous memory with undefined content."""
        if device.type != "cpu":
            return torch.empty(tuple(shape), dtype=dtype, device=device)
        if self._pinned:
            return torch.empty(tuple(shape), dtype=dtype, pin_memory=True)
        if _USES_UNSEEN is None:
            return torch.empty(tuple(shape), dtype=dtype)
        with self._lock:
            place = next((place for place, block in enumerate(self._blocks) if _fits(block, shape, dtype)), None)
            if place is None:
                found = torch.empty(tuple(shape), dtype=dtype)
                self._forget(beside=found.nbytes)
            else:
                found = self._blocks.pop(place)
            self._blocks.append(found)
            return found.view(found.shape)  # made under the lock: from here on the block is in use

    def _forget(self, *, beside: int) -> None:
        """Let go of free blocks that are more than what is in use and ``beside`` bytes, and of what is too many."""
        free = [_is_free(block) for block in self._blocks]
        sizes = [block.nbytes for block in self._blocks]
        spare = sum(size for size, is_free in zip(sizes, free, strict=True) if is_free)
        much = spare - (sum(sizes) - spare + beside)
        kept = []
        for block, size, is_free in zip(self._blocks, sizes, free, strict=True):
            if is_free and much > 0:
                much -= size
            else:
                kept.append(block)
        self._blocks = kept[1 - self._keep :] if self._keep > 1 else []

    def clear(self) -> None:
        """Let go of all blocks; those in use live as long as their users."""
        with self._lock:
            self._blocks = []


def _fits(block: torch.Tensor, shape: Sequence[int], dtype: torch.dtype) -> bool:
    return tuple(block.shape) == tuple(shape) and block.dtype == dtype and _is_free(block)


def _is_free(block: torch.Tensor) -> bool:
    return _USES_UNSEEN is not None and _USES_UNSEEN(block.untyped_storage()._cdata) <= _ALONE  # noqa: SLF001 - as above


def _count_alone() -> int:
    """What the count says of a storage that one tensor holds, asked as above."""
    block = torch.empty(1)
    return _USES_UNSEEN(block.untyped_storage()._cdata) if _USES_UNSEEN is not None else 0  # noqa: SLF001 - as above


_ALONE = _count_alone()


@dataclass(slots=True)
class BatchRoom:
    """The memory of one batch: items write their parts straight to their places.

    Attributes:
        buffers: Where memory comes from.
        count: Items of the batch.
    """

    buffers: Buffers
    count: int
    _wholes: dict[str, torch.Tensor] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def place(self, index: int) -> _Place:
        """The memory of item ``index``."""
        return _Place(self, index)

    def whole(self, name: str, volumes: Sequence[Volume]) -> torch.Tensor | None:
        """``[count, b, C, *spatial]`` if the items' volumes lie in their places one behind the other, else None."""
        whole = self._wholes.get(name)
        if whole is None or len(volumes) != len(whole):
            return None
        parts = [volume.as_batch() for volume in volumes]
        lies = all(
            part.data_ptr() == place.data_ptr() and part.shape == place.shape and part.dtype == place.dtype
            for part, place in zip(parts, whole, strict=True)
        )
        return whole if lies else None

    def take(self, name: str, index: int, *, like: torch.Tensor) -> torch.Tensor:
        """The place of an item, which the first to ask gives its shape; memory of its own for whoever differs.

        Args:
            name: The field.
            index: The item.
            like: A tensor of the shape, type and device that are wanted.
        """
        with self._lock:
            if name not in self._wholes:
                shape = (self.count, *like.shape)
                self._wholes[name] = self.buffers.take(shape, dtype=like.dtype, device=like.device)
            place = self._wholes[name][index]
        fits = place.shape == like.shape and place.dtype == like.dtype and place.device == like.device
        return place if fits else torch.empty_like(like, memory_format=torch.contiguous_format)


@dataclass(slots=True)
class _Place:
    """The memory of one item; each field can have its place once."""

    room: BatchRoom
    index: int
    _taken: set[str] = field(default_factory=set)

    def take(self, name: str, shape: Sequence[int], *, like: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """The item's place in the batch; a second time, memory of its own."""
        if name in self._taken:
            return torch.empty(tuple(shape), dtype=dtype, device=like.device)
        self._taken.add(name)
        wanted = torch.empty((), dtype=dtype, device=like.device).expand(tuple(shape))
        return self.room.take(name, self.index, like=wanted)
