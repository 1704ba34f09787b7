"""Where a cache keeps its items: in this process's memory, on a GPU, or in files that processes share."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace

import torch

from vesalia.errors import Fault
from vesalia.imaging.volume import Sample
from vesalia.pipelines.gpu_room import Account
from vesalia.pipelines.item_file import Kept

__all__ = ["MemoryStore", "Store", "sample_bytes"]


def sample_bytes(sample: Sample) -> int:
    """What an item holds in memory; tensors that share theirs count once."""
    tensors = [*(volume.data for volume in sample.fields.values()), *sample.prepared.values()]
    return sum({tensor.data_ptr(): tensor.nbytes for tensor in tensors if tensor.nbytes}.values())


class Store(ABC):
    """Keeps items by their numbers, up to a limit.

    Any thread may ask; one thread alone decides what is kept, and closes.

    Attributes:
        place: Where items are, in words.
        limit: Bytes that are never exceeded; None for no limit.
    """

    place: str
    limit: int | None = None

    def open(self) -> None:
        """Be ready to keep items, for the first time or after :meth:`close`.

        Raises:
            ResourceError: The place cannot be had.
        """

    @property
    @abstractmethod
    def held_bytes(self) -> int:
        """What all items together take."""

    @property
    @abstractmethod
    def held(self) -> frozenset[int]:
        """The items that are kept."""

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Why items are not where they should be, if so."""
        return ()

    @abstractmethod
    def get(self, index: int) -> Sample | None:
        """An item, None where it is not kept."""

    @abstractmethod
    def put(self, index: int, kept: Kept) -> bool:
        """Keep an item; whether there was room for it."""

    def placed(self, sample: Sample) -> Sample:
        """An item that is not kept, where those lie that are: a batch may have both."""
        return sample

    @abstractmethod
    def keep_only(self, indices: Collection[int]) -> None:
        """Let go of all other items."""

    @abstractmethod
    def close(self) -> None:
        """Let go of all items; may be called again."""

    def find(self, index: int) -> Kept | None:
        """An item that is there without this process having made it: an earlier run did, or another rank."""

    def claims(self, index: int) -> bool:
        """Whether this process is to make the item; False where another one does so now."""
        return True

    def awaited(self, index: int) -> bool:
        """Whether another process, which lives, is making the item."""
        return False

    def release(self, index: int) -> None:
        """Say that this process does not make the item any more."""

    def awaits_room(self, wanted: Collection[int]) -> bool:
        """Whether items need room that another process has not let go yet, though this one has."""
        return False


class MemoryStore(Store):
    """This process's memory, or a GPU's."""

    def __init__(self, *, limit: int | None = None, device: str = "cpu", account: Account | None = None) -> None:
        """Begin empty.

        Args:
            limit: Bytes to keep at most; None for as many as come.
            device: Where the voxels lie; a GPU with its number.
            account: What this store and others may take together.
        """
        self.limit = limit
        self._account = account
        self.place = "the memory of this process" if device == "cpu" else f"the memory of {device}"
        self._device = torch.device(device)
        self._held: dict[int, Sample] = {}
        self._bytes: dict[int, int] = {}
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        """What all items together take."""
        with self._lock:
            return sum(self._bytes.values())

    @property
    def held(self) -> frozenset[int]:
        """The items that are kept."""
        return frozenset(self._held)

    def get(self, index: int) -> Sample | None:
        """An item, None where it is not kept."""
        return self._held.get(index)

    def put(self, index: int, kept: Kept) -> bool:
        """Keep an item; whether there was room for it."""
        size = sample_bytes(kept.sample)
        with self._lock:
            if self.limit is not None and sum(self._bytes.values()) + size > self.limit:
                return False
            if self._account is not None and not self._account.take(size):
                return False
            self._bytes[index] = size
        self._held[index] = self.placed(kept.sample)
        return True

    def placed(self, sample: Sample) -> Sample:
        """An item with its voxels on the device."""
        return _moved(sample, self._device)

    def keep_only(self, indices: Collection[int]) -> None:
        """Let go of all other items."""
        with self._lock:
            before = sum(self._bytes.values())
            self._held = {index: sample for index, sample in self._held.items() if index in indices}
            self._bytes = {index: size for index, size in self._bytes.items() if index in indices}
            if self._account is not None:
                self._account.give(before - sum(self._bytes.values()))

    def close(self) -> None:
        """Let go of all items."""
        self.keep_only(())


def _moved(sample: Sample, device: torch.device) -> Sample:
    """The sample with its voxels on a device; what was prepared stays, but for voxels that it names."""
    if device.type == "cpu":
        return sample
    fields = {name: replace(volume, data=volume.data.to(device)) for name, volume in sample.fields.items()}
    there = {id(volume.data): fields[name].data for name, volume in sample.fields.items()}
    prepared = {key: there.get(id(tensor), tensor) for key, tensor in sample.prepared.items()}
    return replace(sample, fields=fields, prepared=prepared)
