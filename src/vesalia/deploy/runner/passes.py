"""Windows through a network, several at once as long as memory allows."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from vesalia.errors import ResourceError
from vesalia.imaging.windows import WindowPlan, cut_window

__all__ = ["Network", "Passes", "Take"]

_LOG = logging.getLogger(__name__)

Images = npt.NDArray[np.float32]
Network = Callable[[Images], Images]
Take = Callable[[tuple[int, ...], Images], None]
"""Is given a window and what the network says of it: ``[C, *spatial]``, to be changed and not to be kept."""


@dataclass(slots=True)
class Passes:
    """Brings windows through a network; nothing of a pass is held during the next one.

    Attributes:
        network: ``[B, C, *spatial]`` to ``[B, classes, *spatial]``.
        at_once: Windows per pass; 1 from then on where the memory was not enough for more.
    """

    network: Network
    at_once: int

    def each(self, image: npt.NDArray[Any], plan: WindowPlan, *, take: Take) -> None:
        """Give each window of ``[C, *spatial]`` to ``take``.

        Raises:
            ResourceError: The memory is not enough for a single window.
        """
        waiting = iter(plan)
        while group := list(islice(waiting, self.at_once)):
            if self._together(image, plan, group, take):
                continue
            # Only here, behind the error: it held the pass that failed.
            _LOG.warning("too little memory for %d windows at a time: going on with 1", len(group))
            self.at_once = 1
            for index in group:
                _hand_on(self.network(_windows(image, plan, [index])), [index], take)

    def _together(
        self, image: npt.NDArray[Any], plan: WindowPlan, group: Sequence[tuple[int, ...]], take: Take
    ) -> bool:
        """Whether the memory was enough."""
        try:
            outputs = self.network(_windows(image, plan, group))
        except (ResourceError, MemoryError):
            if len(group) == 1:
                raise
            return False
        _hand_on(outputs, group, take)
        return True


def _hand_on(outputs: Images, group: Sequence[tuple[int, ...]], take: Take) -> None:
    for index, output in zip(group, outputs, strict=True):
        take(index, output)


def _windows(image: npt.NDArray[Any], plan: WindowPlan, group: Sequence[tuple[int, ...]]) -> Images:
    seen = np.zeros((len(group), len(image), *plan.window), dtype=np.float32)
    for window, index in zip(seen, group, strict=True):
        view, padding = cut_window(image, plan.start(index), window=plan.window)
        inner = (slice(before, size - after) for size, (before, after) in zip(plan.window, padding, strict=True))
        place: Any = (slice(None), *inner)
        window[place] = view
    return seen
