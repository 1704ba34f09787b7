"""Features that wait: averages as plain sums give them, and less to keep where classes are many."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.inference.streaming.nets import CPU, Net, network
from tests.inference.streaming.test_blending import plainly
from vesalia.imaging.windows import Mode, WindowPlan, cut_window
from vesalia.inference.streaming.network import Network
from vesalia.inference.streaming.postponing import Postponing, postpones, waiting_bytes
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Averages
from vesalia.inference.streaming.tensors import TensorArrays

ARRAYS = TensorArrays(CPU)


def windows_of(plan: WindowPlan, image: torch.Tensor) -> dict[tuple[int, ...], torch.Tensor]:
    """What the network sees of each."""
    seen = {}
    for index in plan:
        view, padding = cut_window(image, plan.start(index), window=plan.window)
        sides = [voxels for side in reversed(padding) for voxels in side]
        seen[index] = torch.nn.functional.pad(view, sides)
    return seen


@given(
    st.lists(st.tuples(st.integers(1, 14), st.integers(1, 7)), min_size=2, max_size=3),
    st.sampled_from([0.0, 0.25, 0.5, 0.8]),
    st.sampled_from(["constant", "gaussian"]),
    st.sampled_from([0, 3000, 10**9]),
)
def test_averages_are_those_of_plain_sums(
    sizes: list[tuple[int, int]], overlap: float, mode: Mode, budget: int
) -> None:
    plan = WindowPlan.of([size for size, _ in sizes], [edge for _, edge in sizes], overlap=overlap)
    net, image = network(dims=len(sizes)), torch.randn(1, *plan.shape, generator=torch.Generator().manual_seed(0))
    windows = windows_of(plan, image)
    later = Postponing(plan, network=net, mode=mode, shelf=Shelf(ARRAYS, budget), slab_bytes=600)
    sink = Averages(torch.full((5, *plan.shape), torch.nan))
    for index in plan:
        said = net(windows[index][None])
        later.keep(index, said, member=0)
        for finished in later.finished(index, said, member=0):
            sink.take(finished, later.shelf)
    later.shelf.close()
    with torch.no_grad():
        whole = {index: net.model(window[None])[0].numpy() for index, window in windows.items()}
    torch.testing.assert_close(sink.result, torch.from_numpy(plainly(plan, whole, mode)).float(), atol=1e-5, rtol=0)


@given(
    st.lists(st.tuples(st.integers(1, 14), st.integers(1, 7)), min_size=1, max_size=3),
    st.sampled_from([0.0, 0.25, 0.5, 0.8]),
)
def test_nothing_is_kept_longer_than_planned(sizes: list[tuple[int, int]], overlap: float) -> None:
    plan = WindowPlan.of([size for size, _ in sizes], [edge for _, edge in sizes], overlap=overlap)
    held: dict[Any, int] = {}
    most = 0
    for index in plan:
        for cell in plan.cells(index):
            if not cell.ends:
                held[cell.key, index] = int(torch.Size(cell.shape).numel())
        most = max(most, sum(held.values()))
        for cell in plan.cells(index):
            if cell.ends:
                held = {key: size for key, size in held.items() if key[0] != cell.key}
    assert waiting_bytes(plan, classes=10**6, features=1) == (4 * most if plan.count > 1 and most else 0)


def test_what_takes_less_waits() -> None:
    plan = WindowPlan.of((512, 512, 400), (96, 96, 96), overlap=0.25)
    assert postpones(plan, classes=100, features=16)
    assert not postpones(plan, classes=3, features=16)
    assert not postpones(plan, classes=100, features=0)
    assert waiting_bytes(plan, classes=3, features=16) == waiting_bytes(plan, classes=3, features=0)
    assert 3 * waiting_bytes(plan, classes=100, features=16) < waiting_bytes(plan, classes=100, features=0)


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_features_of_half_the_bits_come_back_as_they_were(half: torch.dtype) -> None:
    """The last layer gets them in the precision that it was asked in."""
    model = Net(7, features=1).eval()
    net = Network(model, CPU, lambda: torch.autocast("cpu", half))
    plan = WindowPlan.of((20, 14, 17), (8, 8, 8), overlap=0.25)
    image = torch.randn(1, *plan.shape, generator=torch.Generator().manual_seed(0))
    windows = windows_of(plan, image)
    later = Postponing(plan, network=net, mode="gaussian", shelf=Shelf(ARRAYS, 2000), slab_bytes=6000)
    sink = Averages(torch.full((7, *plan.shape), torch.nan))
    for index in plan:
        said = net(windows[index][None])
        assert said.output.dtype == half
        later.keep(index, said, member=0)
        for finished in later.finished(index, said, member=0):
            sink.take(finished, later.shelf)
    later.shelf.close()
    with torch.no_grad(), net.precision():
        whole = {index: net.model(window[None])[0].float().numpy() for index, window in windows.items()}
    expected = torch.from_numpy(plainly(plan, whole, "gaussian")).float()
    torch.testing.assert_close(sink.result, expected, atol=5e-3, rtol=0)


def test_a_layer_that_gets_more_bits_than_are_kept_is_not_put_off() -> None:
    net = Network(Net(7, features=1).double().eval(), CPU, nullcontext)
    assert net(torch.zeros(1, 1, 8, 8, 8, dtype=torch.float64)).features == 0
    assert network(kind="wide")(torch.zeros(1, 1, 8, 8, 8)).features == 0
    assert network(kind="narrow")(torch.zeros(1, 1, 8, 8, 8)).features == 1
