"""To another grid on the way: the same as averages as a whole, resampled, then decided."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from tests.inference.streaming.nets import Kind, Net, network
from vesalia.imaging.axis_steps import AxisStep, axis_steps
from vesalia.imaging.geometry import Grid, index_map
from vesalia.imaging.resample import resample
from vesalia.imaging.windows import WindowPlan
from vesalia.inference.streaming import prediction, restoring
from vesalia.inference.streaming.blending import Finished
from vesalia.inference.streaming.prediction import Streaming
from vesalia.inference.streaming.restoring import Restoring
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Averages, Labels, Masks
from vesalia.inference.streaming.tensors import TensorArrays

ARRAYS = TensorArrays(torch.device("cpu"))
SHAPE = (21, 17, 25)
SOURCE = Grid(SHAPE, np.eye(4))
TARGETS = {
    "finer": Grid((40, 33, 47), np.diag([0.53, 0.52, 0.54, 1.0])),
    "coarser, shifted": Grid((12, 11, 14), np.array([[1.9, 0, 0, -3], [0, 1.8, 0, -2], [0, 0, 2.1, 1], [0, 0, 0, 1]])),
    "turned": Grid((17, 30, 20), np.array([[0, -0.7, 0, 20.0], [1, 0, 0, 0], [0, 0, -1.3, 26.0], [0, 0, 0, 1]])),
    "same voxels, cropped": Grid((10, 9, 8), np.array([[1, 0, 0, 4.0], [0, 1, 0, 3], [0, 0, 1, 2], [0, 0, 0, 1]])),
    "elsewhere": Grid((3, 3, 3), np.array([[1, 0, 0, 90.0], [0, 1, 0, 3], [0, 0, 1, 2], [0, 0, 0, 1]])),
    "few planes": Grid((2, 17, 25), np.array([[14, 0, 0, 3.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])),
}
IMAGE = torch.nn.functional.interpolate(
    torch.randn(1, 1, 5, 4, 6, generator=torch.Generator().manual_seed(1)), size=SHAPE, mode="trilinear"
)[0]


def order_of(steps: Sequence[AxisStep]) -> list[int]:
    return np.argsort([step.source_axis for step in steps]).tolist()  # type: ignore[no-any-return]


def streaming(plan: WindowPlan, kind: Kind = "pointwise") -> Streaming:
    made = network(kind=kind)
    if isinstance(made.model, Net):
        torch.nn.init.normal_(made.model.last.weight, std=8, generator=torch.Generator().manual_seed(0))
    return Streaming(made, plan, "gaussian")


@pytest.mark.parametrize("kind", ["pointwise", "narrow"])
@pytest.mark.parametrize("channels", [2, 100])
@pytest.mark.parametrize("target", list(TARGETS))
def test_as_resampled_as_a_whole(target: str, channels: int, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """``channels`` decides whether every class is interpolated everywhere, or few of them."""
    monkeypatch.setattr(restoring, "_CHANNELS", channels)
    monkeypatch.setattr(restoring, "_BLOCK_BYTES", 4000)
    monkeypatch.setattr(prediction, "SLAB_BYTES", 3000)
    monkeypatch.setattr(prediction, "SLAB_BYTES_LATER", 3000)
    grid, plan = TARGETS[target], WindowPlan.of(SHAPE, (8, 8, 12), overlap=0.3)
    steps = axis_steps(*index_map(SOURCE, grid), source=SHAPE, target=grid.shape)
    assert steps is not None
    run = streaming(plan, kind)
    whole = Averages(torch.empty(5, *SHAPE))
    run.run(IMAGE, whole)
    expected = resample(whole.result[None], SOURCE, target=grid, mode="linear")[0]
    labels = Labels(grid.shape, channels=5, order=order_of(steps))
    run.run(IMAGE, Restoring(steps, labels))
    assert (labels.result[0] == expected.argmax(0).numpy()).mean() > 0.9998
    masks = Masks(grid.shape, channels=5, threshold=0.4, order=order_of(steps))
    run.run(IMAGE, Restoring(steps, masks))
    assert (masks.result == (expected > 0.4).numpy()).mean() > 0.9998


class Elsewhere(TensorArrays):
    """An accelerator's, pretended."""

    @property
    def on_machine(self) -> bool:
        """They are not."""
        return False


def test_on_an_accelerator_every_class_is_interpolated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched from it but labels."""
    grid, plan = TARGETS["finer"], WindowPlan.of(SHAPE, (8, 8, 12), overlap=0.3)
    steps = axis_steps(*index_map(SOURCE, grid), source=SHAPE, target=grid.shape)
    assert steps is not None
    labels, found = (Labels(grid.shape, channels=5) for _ in range(2))
    streaming(plan).run(IMAGE, Restoring(steps, labels))
    monkeypatch.setattr(prediction, "TensorArrays", Elsewhere)
    monkeypatch.setattr(restoring, "decided", None)
    streaming(plan).run(IMAGE, Restoring(steps, found))
    assert (found.result == labels.result).mean() > 0.9998


class Noting(Shelf):
    """Knows how many voxels of which planes wait."""

    def __init__(self) -> None:
        super().__init__(ARRAYS, 10**9)
        self.waiting: dict[Hashable, int] = {}

    def new(self, key: Hashable, shape: Sequence[int]) -> Any:
        """Room."""
        self.waiting[key] = int(np.prod(shape[1:]))
        return super().new(key, shape)

    def drop(self, key: Hashable) -> None:
        """No more."""
        del self.waiting[key]
        super().drop(key)


@pytest.mark.parametrize(("shape", "window"), [((48, 40, 33), (12, 12, 12)), ((20, 60, 44), (12, 16, 12))])
def test_planes_between_windows_are_as_many_as_planned(shape: tuple[int, ...], window: tuple[int, ...]) -> None:
    plan = WindowPlan.of(shape, window, overlap=0.25)
    steps = [AxisStep.resizing(axis, old=size, new=2 * size) for axis, size in enumerate(shape)]
    sink = Restoring(steps, Labels([2 * size for size in shape], channels=5))
    most, shelf = 0, Noting()
    for index in plan:
        box = plan.done(index)
        sums = torch.rand(5, *(side.stop - side.start for side in box))
        sink.take(Finished(index, box, sums, ARRAYS, plan, None), shelf)
        most = max(most, sum(shelf.waiting.values()))
    assert 0.8 * most <= plan.face_voxels <= 1.3 * most
    assert not shelf.waiting


@pytest.mark.parametrize("kind", ["pointwise", "narrow"])
def test_planes_that_wait_in_the_file_come_back(kind: Kind) -> None:
    """As everything that waits, and nothing of them is left over."""
    grid, plan = TARGETS["finer"], WindowPlan.of(SHAPE, (8, 8, 12), overlap=0.3)
    steps = axis_steps(*index_map(SOURCE, grid), source=SHAPE, target=grid.shape)
    assert steps is not None
    run, labels, found = streaming(plan, kind), *(Labels(grid.shape, channels=5) for _ in range(2))
    assert run.run(IMAGE, Restoring(steps, labels)).written_bytes == 0
    run.buffer_bytes = 0
    assert run.run(IMAGE, Restoring(steps, found)).written_bytes > 0
    assert np.array_equal(found.result, labels.result)
