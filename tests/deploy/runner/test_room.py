"""What a subject takes of the memory in ONNX Runtime, with a pretended amount of it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from vesalia.deploy.runner import room
from vesalia.deploy.runner.inferers import TFScanWindowInferer
from vesalia.deploy.runner.plan import InferencePlan, read_plan
from vesalia.deploy.runner.prediction import Prediction
from vesalia.deploy.runner.room import pass_bytes, require_room
from vesalia.errors import ResourceError, UserError
from vesalia.pipelines.datalist import DataItem, items_of

VOXELS = 12 * 10 * 8
CLASSES = 3
WINDOW = 4 * CLASSES * 8 * 8 * 8
"""Bytes of a window's probabilities: 8 x 8 x 5 voxels, made a multiple of 4."""


def changed(plan: Path, **parts: Any) -> InferencePlan:
    plan.write_text(json.dumps({**json.loads(plan.read_text()), **parts}))
    return read_plan(plan)


def silent(at_once: int = 3) -> Prediction:
    """A network that takes no memory that could be seen."""

    def refuse(_: object) -> npt.NDArray[np.float32]:
        raise UserError("too small")

    return Prediction(refuse, TFScanWindowInferer((8, 8, 5)), in_channels=1, size_divisor=4, at_once=at_once)


def pretend(monkeypatch: pytest.MonkeyPatch, free_bytes: int) -> None:
    monkeypatch.setattr(room, "available_memory_bytes", lambda: free_bytes)


@pytest.fixture
def items(images: list[Path]) -> tuple[DataItem, ...]:
    return items_of(images)


def test_labels_image_sums_and_the_probabilities_of_a_pass(plan: Path, items: tuple[DataItem, ...]) -> None:
    how = silent()
    found = require_room(read_plan(plan), how, items=items)
    assert found is not None
    assert (found.shape, found.windows, how.at_once) == ((12, 10, 8), 4, 3)
    assert (found.image_bytes, found.result_bytes, found.output_bytes) == (8 * VOXELS, VOXELS, 3 * WINDOW)
    windows = TFScanWindowInferer((8, 8, 5)).windows((12, 10, 8), divisor=4)
    assert found.waiting_bytes == 4 * CLASSES * windows.open_voxels
    assert f"{found.least_bytes}" == f"{9 * VOXELS + found.waiting_bytes + 3 * WINDOW}"


@pytest.mark.parametrize(
    ("steps", "voxel_bytes"),
    [
        ([{"name": "ThresholdValues", "args": {"fields": "model", "threshold": 0.5}}], CLASSES),
        ([], 4 * CLASSES),
    ],
)
def test_masks_and_probabilities_take_a_volume_per_class(
    plan: Path, items: tuple[DataItem, ...], steps: list[Any], voxel_bytes: int
) -> None:
    found = require_room(changed(plan, post_transforms=steps), silent(), items=items)
    assert found is not None
    assert (found.result_bytes, found.windows > 0) == (voxel_bytes * VOXELS, bool(steps))


def test_labels_on_the_file_s_grid_where_the_image_is_resampled(plan: Path, items: tuple[DataItem, ...]) -> None:
    data = json.loads(plan.read_text())
    scale = {"name": "ScaleByResolution", "args": {"fields": "image", "target_resolution": [0.5, 2.0, 1.5]}}
    back = {"name": "RestoreOriginalShape", "args": {"field": "model", "src_field": "image", "is_label": False}}
    decide = {"name": "ArgmaxAcrossChannels", "args": {"fields": "model"}}
    parts = {"pre_transforms": [*data["pre_transforms"], scale], "post_transforms": [back, decide]}
    found = require_room(changed(plan, **parts), silent(), items=items)
    assert found is not None
    assert (found.shape, found.result_bytes) == ((24, 10, 8), VOXELS)
    assert found.image_bytes == 2 * 8 * VOXELS
    windows = TFScanWindowInferer((8, 8, 5)).windows(found.shape, divisor=4)
    assert found.waiting_bytes == 4 * CLASSES * (windows.open_voxels + windows.face_voxels)


def test_fewer_windows_at_once_where_memory_is_short(
    plan: Path, items: tuple[DataItem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = require_room(read_plan(plan), silent(), items=items)
    assert whole is not None
    how = silent()
    pretend(monkeypatch, whole.least_bytes - 1)
    short = require_room(read_plan(plan), how, items=items)
    assert short is not None
    assert (how.at_once, short.output_bytes) == (2, 2 * WINDOW)
    pretend(monkeypatch, whole.least_bytes - 2 * WINDOW - 1)
    with pytest.raises(ResourceError, match="case_0: found a need of at least"):
        require_room(read_plan(plan), silent(), items=items)


def test_probabilities_of_a_pass_are_bounded(
    plan: Path, items: tuple[DataItem, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    how = silent(at_once=30)
    monkeypatch.setattr(room, "OUTPUT_BYTES", 2 * WINDOW + 1)
    require_room(read_plan(plan), how, items=items)
    assert how.at_once == 2
    monkeypatch.setattr(room, "OUTPUT_BYTES", 1)
    require_room(read_plan(plan), how, items=items)
    assert how.at_once == 1


def test_files_that_cannot_be_read_are_left_to_who_reads_them(plan: Path, images: list[Path]) -> None:
    for image in images:
        image.write_bytes(b"no image")
    assert require_room(read_plan(plan), silent(), items=items_of(images)) is None


class Keeping:
    """Keeps as much as ONNX Runtime does, and gives two classes."""

    def __init__(self, *sizes: int) -> None:
        self.kept = np.zeros(0, dtype=np.uint8)
        self.shapes: list[tuple[int, ...]] = []
        if sizes:
            self.sizes = sizes

    def __call__(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        self.shapes.append(images.shape)
        self.kept = np.ones(600 * images[0, 0].size, dtype=np.uint8)
        return np.ones((1, 2, *images.shape[2:]), dtype=np.float32)


class Machine:
    """Knows what a network keeps, and nothing of what else comes and goes in this process."""

    def __init__(self, network: Keeping) -> None:
        self.network = network

    def memory_info(self) -> SimpleNamespace:
        """What the process takes."""
        return SimpleNamespace(rss=10**9 + self.network.kept.nbytes)


def test_what_a_pass_takes_is_measured_with_a_small_image(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Keeping()
    monkeypatch.setattr(psutil, "Process", lambda: Machine(network))
    how = Prediction(network, TFScanWindowInferer((96, 96, 32)), in_channels=1, size_divisor=16)
    assert pass_bytes(how, dims=3) == 600 - 2 * 4
    assert network.shapes == [(1, 1, 64, 64, 32)]


class Compiling(Keeping):
    """Keeps what it takes to compile besides, from its first images on."""

    def prepare(self, images: npt.NDArray[np.float32]) -> None:
        """Compile."""
        self(images)


def test_what_it_takes_once_is_none_of_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Compiling()
    monkeypatch.setattr(psutil, "Process", lambda: Machine(network))
    how = Prediction(network, TFScanWindowInferer((96, 96, 32)), in_channels=1, size_divisor=16)
    grown, voxels = 600 * (64 * 64 * 32 - 32 * 32 * 16), 64 * 64 * 32
    assert pass_bytes(how, dims=3) == pytest.approx((grown - 8 * voxels) / (voxels - 32 * 32 * 16))
    assert network.shapes == [(1, 1, 32, 32, 16), (1, 1, 64, 64, 32)]


def test_a_network_of_one_size_is_measured_with_it() -> None:
    network = Keeping(96, 16, 32)
    pass_bytes(Prediction(network, TFScanWindowInferer((96, 16, 32)), in_channels=2), dims=3)
    assert network.shapes == [(1, 2, 96, 16, 32)]
