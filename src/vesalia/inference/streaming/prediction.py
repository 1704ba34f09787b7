"""One subject through a network, window by window, to labels; probabilities never lie in memory as a whole."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeGuard

import torch
import torch.nn.functional as F

from vesalia.components.inferers.base import Inferer
from vesalia.components.inferers.scan_window import TFScanWindowInferer
from vesalia.imaging.windows import Mode, WindowPlan, cut_window, within
from vesalia.inference.streaming.blending import SLAB_BYTES, Blender, Finished, slabs
from vesalia.inference.streaming.heap import Heap
from vesalia.inference.streaming.limits import free_cached
from vesalia.inference.streaming.network import Network, Pass
from vesalia.inference.streaming.postponing import SLAB_BYTES_LATER, Postponing, postpones, waiting_bytes
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Sink
from vesalia.inference.streaming.tensors import TensorArrays
from vesalia.runtime.memory import is_out_of_memory

__all__ = ["BUFFER_BYTES", "Streaming", "Timing", "streams"]

_LOG = logging.getLogger(__name__)
_CPU: Final = torch.device("cpu")

BUFFER_BYTES: Final = 300_000_000
"""What waits for its next window may take so much of the memory; more of it goes to a temporary file."""
_SLAB_BYTES_ON_DEVICE: Final = 256 << 20
"""Accelerators want much to do at a time."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time went.

    Attributes:
        network_s: Seconds in the network, its activation included.
        total_s: Seconds in all.
        written_bytes: What went to the temporary file.
    """

    network_s: float
    total_s: float
    written_bytes: int


@dataclass(slots=True)
class Streaming:
    """Brings windows through a network and hands what is finished to a sink.

    Attributes:
        network: The network; what its device had no memory for is noted with it.
        plan: The windows.
        mode: The weight of a window's voxels in the average.
        batch_size: Windows per pass, where the device has memory for them.
        buffer_bytes: See :data:`BUFFER_BYTES`.
    """

    network: Network
    plan: WindowPlan
    mode: Mode = "constant"
    batch_size: int = 1
    buffer_bytes: int = BUFFER_BYTES

    def run(self, image: torch.Tensor, sink: Sink) -> Timing:
        """Predict ``[C, *spatial]``."""
        began, before = time.perf_counter(), self.network.seconds
        way: Blender | Postponing | None = None
        waiting, heap = iter(self.plan), Heap()
        try:
            while group := list(islice(waiting, self.network.limits.group(self.batch_size))):
                for member, index, said in self._passed(image, group):
                    way = way or self.way(said)
                    for finished in self._blended(way, index, said, member):
                        sink.take(finished, way.shelf)
                    del said  # or it would stay until the next pass is over
                heap.tidy()
        finally:
            if way is not None:
                way.shelf.close()
        written = way.shelf.file.written_bytes if way is not None else 0
        return Timing(self.network.seconds - before, time.perf_counter() - began, written)

    def _passed(self, image: torch.Tensor, group: list[tuple[int, ...]]) -> Iterator[tuple[int, tuple[int, ...], Pass]]:
        """Each window of a group, with its place in its pass; one by one where memory is too little for all."""
        said = self._tried(image, group)
        if said is None:
            for index in group:
                yield 0, index, self.network(self._windows(image, [index]))
            return
        for member, index in enumerate(group):
            yield member, index, said

    def _tried(self, image: torch.Tensor, group: list[tuple[int, ...]]) -> Pass | None:
        """One pass over a group; None where memory is too little for several windows, and then nothing of it is left.

        An error that is being handled keeps all that the failed pass had made: what comes next is for the caller.
        """
        try:
            return self.network(self._windows(image, group))
        except (RuntimeError, MemoryError) as error:
            if len(group) == 1 or not is_out_of_memory(error):
                raise
        _LOG.warning("too little memory for %d windows at a time: going on with 1", len(group))
        self.network.limits.windows = 1
        free_cached(self.network.device)
        return None

    def _windows(self, image: torch.Tensor, group: list[tuple[int, ...]]) -> torch.Tensor:
        seen = []
        for index in group:
            view, padding = cut_window(image, self.plan.start(index), window=self.plan.window)
            # F.pad counts axes from the last to the first.
            sides = [voxels for side in reversed(padding) for voxels in side]
            seen.append(F.pad(view, sides) if any(sides) else view)
        return torch.stack(seen).float()

    def way(self, said: Pass) -> Blender | Postponing:
        """How windows are averaged: by sums, or later, by the input of the last layer where that takes less to keep.

        What waits lies on the network's device, or in the machine's memory where the device has no room for it.
        """
        plan, features = self.plan, said.features
        needed, device = waiting_bytes(plan, classes=said.channels, features=features), self.network.device
        if not self.network.limits.holds(needed, device):
            _LOG.info(
                "%.1f GB of windows that wait lie in the machine's memory, not on %s",
                needed / 1e9,
                device,
            )
            device = _CPU
        shelf = Shelf(TensorArrays(device), self.buffer_bytes)
        if postpones(plan, classes=said.channels, features=features):
            slab_bytes = self._slab_bytes(SLAB_BYTES_LATER)
            return Postponing(plan, network=self.network, mode=self.mode, shelf=shelf, slab_bytes=slab_bytes)
        return Blender(plan, mode=self.mode, channels=said.channels, shelf=shelf)

    def _blended(
        self, way: Blender | Postponing, index: tuple[int, ...], said: Pass, member: int
    ) -> Iterator[Finished]:
        if isinstance(way, Blender):
            return self._summed(way, index, said, member)
        return self._postponed(way, index, said, member)

    def _slab_bytes(self, on_processors: int) -> int:
        return on_processors if self.network.device.type == "cpu" else _SLAB_BYTES_ON_DEVICE

    def _summed(self, blender: Blender, index: tuple[int, ...], said: Pass, member: int) -> Iterator[Finished]:
        """Add a window, slab by slab."""
        box = self.plan.seen(index)
        weights = None if blender.weights is None else torch.from_numpy(blender.weights).to(self.network.device)
        for slab in slabs(self.plan, index, channels=blender.channels, slab_bytes=self._slab_bytes(SLAB_BYTES)):
            place = within((slice(*slab), *box[1:]), self.plan.start(index))
            seen = None if weights is None else weights[place]
            values = self.network.probabilities(said, member, place=place, weights=seen)
            finished = self._added(blender, index, slab, values)
            if finished is None:
                self._leave_device(blender.shelf, said)
                finished = self._added(blender, index, slab, values)
            yield from finished or ()

    def _added(
        self, blender: Blender, index: tuple[int, ...], slab: tuple[int, int], values: torch.Tensor
    ) -> list[Finished] | None:
        """What is finished with a slab; None where the device has no room for its sums."""
        arrays: Any = blender.arrays
        try:
            finished = blender.add(index, slab, values=values.to(arrays.device))
        except RuntimeError as error:
            if arrays.on_machine or not is_out_of_memory(error):
                raise
            return None
        return [] if finished is None else [finished]

    def _postponed(self, later: Postponing, index: tuple[int, ...], said: Pass, member: int) -> Iterator[Finished]:
        """Keep of a window what waits, and finish the rest."""
        if not self._kept(later, index, said, member):
            self._leave_device(later.shelf, said)
            later.keep(index, said, member=member)
        return later.finished(index, said, member=member)

    def _kept(self, later: Postponing, index: tuple[int, ...], said: Pass, member: int) -> bool:
        """Whether the device had room for what waits."""
        try:
            later.keep(index, said, member=member)
        except RuntimeError as error:
            if later.shelf.arrays.on_machine or not is_out_of_memory(error):
                raise
            return False
        return True

    def _leave_device(self, shelf: Shelf, said: Pass) -> None:
        arrays: Any = shelf.arrays
        _LOG.warning("too little memory on %s for windows that wait: going on in the machine's", arrays.device)
        needed = waiting_bytes(self.plan, classes=said.channels, features=said.features)
        self.network.limits.waiting_bytes = needed
        shelf.move(TensorArrays(_CPU))
        free_cached(arrays.device)


def streams(inferer: Inferer) -> TypeGuard[TFScanWindowInferer]:
    """Whether an inferer averages windows as they come; one that was derived from ours may do anything."""
    return isinstance(inferer, TFScanWindowInferer) and type(inferer).__call__ is TFScanWindowInferer.__call__
