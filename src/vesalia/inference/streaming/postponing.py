"""Windows in, finished voxels out, as in blending; what waits are features of windows, not sums of their classes.

The last layer of a network often makes many classes of few features. Where it looks at one voxel at a time, it can be
applied to a window when the voxels are finished: until then only its input is kept. Then nothing of all classes ever
leaves the processor's caches.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, Final

import torch

from vesalia.imaging.windows import Box, Cell, Mode, WindowPlan, importance, within
from vesalia.inference.streaming.blending import Finished, pieces
from vesalia.inference.streaming.network import Network, Pass
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.tensors import TensorArrays

__all__ = ["SLAB_BYTES_LATER", "Postponing", "postpones", "waiting_bytes"]

SLAB_BYTES_LATER: Final = 16 << 20
"""What is worked on at a time. Measured: less takes longer, for what is done for each slab; more does not take less."""

_FLOAT32: Final = 4


def postpones(plan: WindowPlan, *, classes: int, features: int) -> bool:
    """Whether keeping features takes less than keeping sums.

    Args:
        plan: The windows.
        classes: Channels of the sums.
        features: Channels of the features; 0 where there are none.
    """
    # As many voxels wait as features as do as sums, or more; to count them takes a moment.
    return 0 < features < classes and features * plan.kept_voxels < classes * plan.open_voxels


def waiting_bytes(plan: WindowPlan, *, classes: int, features: int) -> int:
    """What waits for further windows, at most; for the arguments see :func:`postpones`."""
    later = postpones(plan, classes=classes, features=features)
    return _FLOAT32 * (features * plan.kept_voxels if later else classes * plan.open_voxels)


class Postponing:
    """Averages what windows say of each voxel, once the last of them has come.

    Args:
        plan: The windows; they must come in its order, each to :meth:`keep` and then to :meth:`finished`.
        network: Applies the last layer.
        mode: The weight of a window's voxels.
        shelf: Keeps features.
        slab_bytes: What of a window's output is worked on at a time.
    """

    def __init__(
        self, plan: WindowPlan, *, network: Network, mode: Mode, shelf: Shelf, slab_bytes: int = SLAB_BYTES_LATER
    ) -> None:
        self.plan = plan
        self.shelf = shelf
        self._network = network
        self._arrays = TensorArrays(network.device)
        self._slab_bytes = slab_bytes
        self._passes: dict[tuple[int, ...], Pass] = {}
        self._weights = None if mode == "constant" else importance(plan.window, mode)
        self._weights_there = None if self._weights is None else self._arrays.given(self._weights)

    def keep(self, index: tuple[int, ...], said: Pass, *, member: int) -> None:
        """Keep of a window what later ones finish: features, or classes where the last layer was not set aside."""
        self._passes[index] = said.without_output()
        for cell in self.plan.cells(index):
            if not cell.ends:
                kept = self.shelf.new((cell.key, index), (said.output.shape[1], *cell.shape))
                kept[...] = said.at(member, place=self._seen(cell.box, index))
                self.shelf.rest((cell.key, index), self.plan.rank([segment.last for segment in cell.segments]))

    def finished(self, index: tuple[int, ...], said: Pass, *, member: int) -> Iterator[Finished]:
        """What is finished with a window, slab by slab; the sums are gone with the next slab."""
        box = self.plan.done(index)
        # The same slabs for all windows beside each other: what is kept between these goes by slabs.
        plane = _FLOAT32 * said.channels * prod(self.plan.thickest(axis) for axis in range(1, len(box)))
        ended = [cell for cell in self.plan.cells(index) if cell.ends]
        for segment in self.plan.segments[0]:
            if segment.last != index[0]:
                continue
            cells = [cell for cell in ended if cell.segments[0] == segment and cell.windows > 1]
            for start, stop in pieces(segment, plane_bytes=plane, slab_bytes=self._slab_bytes):
                place = (slice(start, stop), *box[1:])
                sums = self._said(said, member, index, place)
                for cell in cells:
                    self._add_earlier(sums, place, cell, index)
                yield Finished(index, place, sums, self._arrays, self.plan, self._weights)
            for cell in cells:
                for other in _earlier(cell, index):
                    self.shelf.drop((cell.key, other))

    def _add_earlier(self, sums: torch.Tensor, place: Box, cell: Cell, index: tuple[int, ...]) -> None:
        """Add what earlier windows say of a cell to the sums ``[C, *place]`` of a slab."""
        slab = (place[0], *cell.box[1:])
        inside: Any = (slice(None), *within(slab, [side.start for side in place]))
        part = sums[inside]
        for other in _earlier(cell, index):
            kept = self.shelf.use((cell.key, other))
            there: Any = (slice(None), *within(slab, [side.start for side in cell.box]))
            part += self._said(self._passes[other].resumed(kept[there]), 0, other, slab, kept=True)

    def _said(self, said: Pass, member: int, index: tuple[int, ...], place: Box, *, kept: bool = False) -> torch.Tensor:
        """What a window says of a place of the image, weighted; of features that were ``kept`` all are of the place."""
        seen = self._seen(place, index)
        weights = None if self._weights_there is None else self._weights_there[seen]
        where = tuple(slice(0, side.stop - side.start) for side in place) if kept else seen
        return self._network.probabilities(said, member, place=where, weights=weights, memory=int(kept))

    def _seen(self, place: Box, index: tuple[int, ...]) -> Box:
        """A place of the image as a window sees it."""
        return within(place, self.plan.start(index))


def _earlier(cell: Cell, index: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The windows that cover a cell, but for its last."""
    windows = product(*(range(segment.first, segment.last + 1) for segment in cell.segments))
    return [window for window in windows if window != index]
