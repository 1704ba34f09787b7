"""Plans of windows: where they lie, what each begins and finishes; against MONAI and against counting by hand."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers.utils import _get_scan_interval

from vesalia.imaging.windows import WindowPlan, cut_window, importance, window_starts


@st.composite
def plans(draw: st.DrawFn) -> WindowPlan:
    dims = draw(st.integers(1, 3))
    sizes = st.integers(1, 23)
    shape = draw(st.lists(sizes, min_size=dims, max_size=dims))
    window = draw(st.lists(st.integers(1, 9), min_size=dims, max_size=dims))
    overlap = draw(st.sampled_from([0.0, 0.25, 0.5, 0.8, 0.99]))
    return WindowPlan.of(shape, window, overlap=overlap, lean=draw(st.booleans()))


@given(st.integers(9, 60), st.integers(1, 9), st.sampled_from([0.0, 0.25, 0.5, 0.625]))
def test_windows_lie_where_monai_puts_them(size: int, window: int, overlap: float) -> None:
    step = _get_scan_interval([size], [window], 1, (overlap,))
    expected = [box[0].start for box in dense_patch_slices([size], [window], step)]
    assert list(window_starts(size, window, overlap=overlap)) == sorted(set(expected))


def test_a_short_axis_is_padded_on_both_sides() -> None:
    assert window_starts(5, 8, overlap=0.25) == (-1,)
    assert window_starts(8, 8, overlap=0.25) == (0,)


@pytest.mark.parametrize("mode", ["constant", "gaussian"])
@pytest.mark.parametrize("window", [(8,), (7, 12), (24, 9, 16)])
def test_weights_are_those_of_monai(window: tuple[int, ...], mode: str) -> None:
    found = importance(window, "gaussian" if mode == "gaussian" else "constant")
    assert np.allclose(found, compute_importance_map(window, mode).numpy(), rtol=1e-5, atol=0)


@given(plans())
def test_each_voxel_is_finished_once_by_the_last_window_that_covers_it(plan: WindowPlan) -> None:
    touched = np.full(plan.shape, -1)
    finished = np.full(plan.shape, -1)
    for rank, index in enumerate(plan):
        assert plan.rank(index) == rank
        box = tuple(
            slice(max(0, first), first + edge) for first, edge in zip(plan.start(index), plan.window, strict=True)
        )
        touched[box] = rank
        done = finished[plan.done(index)]
        assert (done == -1).all()
        done[...] = rank
    assert np.array_equal(touched, finished)


@given(plans())
def test_cells_say_when_they_begin_and_end_and_come_back(plan: WindowPlan) -> None:
    seen: dict[tuple[int, ...], int] = {}
    due: dict[tuple[int, ...], int] = {}
    for rank, index in enumerate(plan):
        finished = np.zeros(plan.shape, dtype=bool)
        for cell in plan.cells(index):
            assert cell.begins == (cell.key not in seen)
            assert due.pop(cell.key, rank) == rank
            seen[cell.key] = seen.get(cell.key, 0) + 1
            assert cell.ends == (seen[cell.key] == cell.windows)
            assert finished[cell.box].shape == cell.shape
            if cell.ends:
                finished[cell.box] = True
            else:
                due[cell.key] = plan.next_rank(cell, index)
        assert finished.sum() == finished[plan.done(index)].size
    assert not due


@given(plans())
def test_the_most_open_voxels_are_counted(plan: WindowPlan) -> None:
    counted, most = {}, 0
    for index in plan:
        for cell in plan.cells(index):
            counted[cell.key] = 0 if cell.ends and cell.begins else int(np.prod(cell.shape))
        most = max(most, sum(counted.values()))
        for cell in plan.cells(index):
            if cell.ends:
                counted[cell.key] = 0
    assert plan.open_voxels == most


@given(plans())
def test_the_most_voxels_kept_by_window_are_counted(plan: WindowPlan) -> None:
    waiting: dict[tuple[int, ...], list[int]] = {}
    most = 0
    for index in plan:
        for cell in plan.cells(index):
            if not cell.ends:
                waiting.setdefault(cell.key, []).append(int(np.prod(cell.shape)))
        most = max(most, sum(map(sum, waiting.values())))
        for cell in plan.cells(index):
            if cell.ends:
                assert len(waiting.pop(cell.key, [])) == cell.windows - 1
    assert plan.kept_voxels == most
    assert not waiting


def test_the_walk_keeps_a_thin_layer_open() -> None:
    lean = WindowPlan.of((512, 512, 400), (96, 96, 96), overlap=0.25)
    assert (lean.count, lean.order) == (294, (0, 1, 2))
    assert lean.open_voxels < 0.1 * 512 * 512 * 400
    tall = WindowPlan.of((64, 64, 400), (32, 32, 32), overlap=0.25)
    assert tall.order == (2, 0, 1)
    assert tall.open_voxels < WindowPlan.of((64, 64, 400), (32, 32, 32), overlap=0.25, lean=False).open_voxels


def test_planes_between_windows_are_counted() -> None:
    """Of windows of 4 that do not overlap: a plane of the image, a row of windows, a window."""
    plan = WindowPlan.of((16, 12, 8), (4, 4, 4), overlap=0)
    assert plan.order == (0, 1, 2)
    assert plan.face_voxels == 12 * 8 + 4 * 8 + 4 * 4
    assert WindowPlan.of((16, 4, 4), (4, 4, 4), overlap=0).face_voxels == 4 * 4
    assert WindowPlan.of((4, 4, 4), (4, 4, 4), overlap=0).face_voxels == 0


def test_a_window_is_a_view_and_says_what_it_lacks() -> None:
    image = np.arange(30).reshape(1, 5, 6)
    seen, padding = cut_window(image, (-1, 4), window=(8, 2))
    assert seen.base is image.base
    assert (seen.shape, padding) == ((1, 5, 2), ((1, 2), (0, 0)))


def test_planning_loads_no_torch() -> None:
    code = "import sys, vesalia.imaging.windows; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
