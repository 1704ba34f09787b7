"""Blending: averages as plain sums give them, each voxel once, for NumPy and torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging.windows import Mode, WindowPlan, importance
from vesalia.inference.streaming.arrays import Arrays, NumpyArrays
from vesalia.inference.streaming.blending import Blender, slabs
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Averages
from vesalia.inference.streaming.tensors import TensorArrays

Array = npt.NDArray[Any]


def windows_of(plan: WindowPlan, channels: int) -> dict[tuple[int, ...], Array]:
    """What a network might say of each window."""
    dice = np.random.default_rng(0)
    return {index: dice.random((channels, *plan.window)).astype(np.float32) for index in plan}


def plainly(plan: WindowPlan, said: dict[tuple[int, ...], Array], mode: Mode) -> Array:
    """Weighted sums over sums of weights, in a padded volume."""
    room = [size + edge for size, edge in zip(plan.shape, plan.window, strict=True)]
    channels = len(next(iter(said.values())))
    sums, totals, weights = np.zeros((channels, *room)), np.zeros(room), importance(plan.window, mode)
    before = [max(0, -starts[0]) for starts in plan.starts]
    for index, values in said.items():
        places = zip(plan.start(index), before, plan.window, strict=True)
        box: Any = tuple(slice(start + lead, start + lead + edge) for start, lead, edge in places)
        in_all: Any = (slice(None), *box)
        sums[in_all] += values * weights
        totals[box] += weights
    inside: Any = (slice(None), *(slice(lead, lead + size) for lead, size in zip(before, plan.shape, strict=True)))
    average: Array = (sums / np.maximum(totals, 1e-9))[inside]
    return average


def blended(plan: WindowPlan, said: dict[tuple[int, ...], Array], mode: Mode, arrays: Arrays, budget: int) -> Array:
    channels = len(next(iter(said.values())))
    blender = Blender(plan, mode=mode, channels=channels, shelf=Shelf(arrays, budget))
    result = arrays.given(np.full((channels, *plan.shape), np.nan, dtype=np.float32))
    sink = Averages(result)
    for index in plan:
        start = plan.start(index)
        seen = [slice(max(0, -s), min(e, n - s)) for s, e, n in zip(start, plan.window, plan.shape, strict=True)]
        for slab in slabs(plan, index, channels=channels, slab_bytes=600):
            place: Any = (slice(slab[0] - start[0], slab[1] - start[0]), *seen[1:])
            inside: Any = (slice(None), *place)
            weights = 1 if blender.weights is None else blender.weights[place]
            finished = blender.add(index, slab, values=arrays.given(said[index][inside] * weights))
            if finished is not None:
                sink.take(finished, blender.shelf)
    assert blender.shelf.taken_bytes <= max(budget, 64_000_000)
    blender.shelf.close()
    return arrays.plain(result)


@given(
    st.lists(st.tuples(st.integers(1, 14), st.integers(1, 7)), min_size=1, max_size=3),
    st.sampled_from([0.0, 0.25, 0.5, 0.8]),
    st.sampled_from(["constant", "gaussian"]),
    st.sampled_from([NumpyArrays(), TensorArrays(torch.device("cpu"))]),
    st.sampled_from([0, 3000, 10**9]),
)
def test_averages_are_those_of_plain_sums(
    sizes: list[tuple[int, int]], overlap: float, mode: Mode, arrays: Arrays, budget: int
) -> None:
    plan = WindowPlan.of([size for size, _ in sizes], [edge for _, edge in sizes], overlap=overlap)
    said = windows_of(plan, 2)
    found = blended(plan, said, mode, arrays, budget)
    assert np.allclose(found, plainly(plan, said, mode), atol=1e-5)


def test_slabs_cover_a_window_and_stop_where_windows_begin() -> None:
    plan = WindowPlan.of((14, 8), (6, 8), overlap=0.5)
    found = list(slabs(plan, (1, 0), channels=3, slab_bytes=600))
    assert (found[0][0], found[-1][1]) == (3, 9)
    assert all(before[1] == after[0] for before, after in pairwise(found))
    assert any(stop == 6 for _, stop in found)
