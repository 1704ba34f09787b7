"""Windows through a network: in order, together while there is memory for it, one by one where there is not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from vesalia.deploy.runner.passes import Passes
from vesalia.errors import ResourceError
from vesalia.imaging.windows import WindowPlan

IMAGE = np.arange(7 * 5, dtype=np.float32).reshape(1, 7, 5)
PLAN = WindowPlan.of((7, 5), (3, 6), overlap=0.0)


class Counting:
    """Gives back what it gets, and notes how many windows came at once."""

    def __init__(self, *, most: int = 9, error: type[Exception] = ResourceError) -> None:
        self.most, self.error = most, error
        self.sizes: list[int] = []
        self.left_over: list[Any] = []
        self._last: Any = lambda: None

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.sizes.append(len(images))
        self.left_over.append(self._last())
        held = images + 0
        self._last = weakref.ref(held)
        if len(images) > self.most:
            raise self.error("full")
        return held


def seen(passes: Passes) -> list[tuple[tuple[int, ...], list[float]]]:
    found = []
    passes.each(IMAGE, PLAN, take=lambda index, output: found.append((index, output.ravel().tolist())))
    return found


def wanted() -> list[tuple[tuple[int, ...], list[float]]]:
    padded = np.pad(IMAGE[0], [(0, 0), (0, 1)])
    return [(index, padded[PLAN.start(index)[0] :][:3].ravel().tolist()) for index in PLAN]


def test_each_window_once_and_padded() -> None:
    network = Counting()
    assert seen(Passes(network, 2)) == wanted()
    assert network.sizes == [2, 1]


@pytest.mark.parametrize("error", [ResourceError, MemoryError])
def test_one_by_one_where_memory_is_short(error: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    network = Counting(most=1, error=error)
    passes = Passes(network, 2)
    with caplog.at_level(logging.WARNING):
        assert seen(passes) == wanted()
    assert (network.sizes, passes.at_once) == ([2, 1, 1, 1], 1)
    assert caplog.messages == ["too little memory for 2 windows at a time: going on with 1"]


@pytest.mark.parametrize("most", [1, 9])
def test_nothing_of_a_pass_is_held_during_the_next(most: int) -> None:
    network = Counting(most=most)
    seen(Passes(network, 2))
    assert network.left_over == [None] * len(network.sizes)


def test_too_little_for_a_single_window_is_told() -> None:
    with pytest.raises(ResourceError, match="full"):
        seen(Passes(Counting(most=0), 1))
