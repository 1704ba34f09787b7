"""The loops by themselves: as Python runs them, and as Numba compiles them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalia.imaging import affine_loops
from vesalia.imaging.affine_loops import Reading, read_linear, read_nearest
from vesalia.imaging.resample import Mode, sample_at

SHAPE, SIZE = (4, 5, 6), (3, 4, 7)


@pytest.fixture(params=["as Python", "compiled"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The loops in both forms; without Numba there is only one."""
    if request.param == "as Python":
        monkeypatch.setattr(affine_loops, "_numba_is_there", lambda: False)
        affine_loops._loops.forget()
    elif not affine_loops.is_compiled():
        pytest.skip("Numba is not installed: there is nothing to compile with")
    yield
    affine_loops._loops.forget()


def source(dtype: type = np.float32) -> np.ndarray:
    """Different numbers in a small box."""
    return np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)


def matrix(seed: int) -> np.ndarray:
    """A map that leads partly outside."""
    random = np.random.default_rng(seed)
    return np.hstack([np.eye(3) + random.normal(size=(3, 3)) * 0.2, random.normal(size=(3, 1))])


def by_torch(data: np.ndarray, rows: np.ndarray, mode: Mode) -> np.ndarray:
    """The same by the resampling that everything else uses."""
    places = np.stack(np.meshgrid(*map(np.arange, SIZE), indexing="ij")).reshape(3, -1)
    where = (rows[:, :3] @ places + rows[:, 3:]).reshape(3, *SIZE)
    read = sample_at(torch.from_numpy(data)[None, None].double(), torch.from_numpy(where), mode=mode)
    return read[0, 0].numpy()


def reading(
    data: np.ndarray, rows: np.ndarray, *, scale: float = 1.0, shift: float = 0.0, fill: float = 0.0
) -> Reading:
    """All of ``data``."""
    return Reading(data.ravel(), 0, (data.shape[1] * data.shape[2], data.shape[2]), SHAPE, rows, scale, shift, fill)


@pytest.mark.usefixtures("loops")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(seed=st.integers(0, 2**20))
def test_linear_reads_as_torch_does(seed: int) -> None:
    out = np.empty(SIZE, np.float32)
    read_linear(reading(source(), matrix(seed)), out)
    assert np.allclose(out, by_torch(source(), matrix(seed), "linear"), atol=2e-3)


@pytest.mark.usefixtures("loops")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(seed=st.integers(0, 2**20))
def test_nearest_reads_as_torch_does(seed: int) -> None:
    out = np.empty(SIZE, np.uint8)
    read_nearest(reading(source(np.uint8), matrix(seed)), out)
    assert np.array_equal(out, by_torch(source(np.uint8), matrix(seed), "nearest"))


@pytest.mark.usefixtures("loops")
def test_values_are_scaled_and_the_outside_is_filled() -> None:
    rows = np.hstack([np.eye(3), [[0.0], [0.0], [4.0]]])
    out = np.empty(SIZE, np.float32)
    read_linear(reading(source(np.int16), rows, scale=2.0, shift=1.0, fill=-7.0), out)
    assert np.array_equal(out[:, :, :2], source()[:3, :4, 4:] * 2.0 + 1.0)
    assert (out[:, :, 2:] == -7.0).all()


@pytest.mark.usefixtures("loops")
def test_a_box_within_a_larger_volume_is_all_that_is_read() -> None:
    big = np.random.default_rng(1).integers(0, 200, (8, 9, 10)).astype(np.uint8)
    box = big[2:6, 3:8, 1:7]
    first = 2 * 90 + 3 * 10 + 1
    out = np.empty(SIZE, np.uint8)
    read_nearest(Reading(big.ravel(), first, (90, 10), SHAPE, matrix(2)), out)
    assert np.array_equal(out, by_torch(np.ascontiguousarray(box), matrix(2), "nearest"))


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("turned", [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("size", [16])
def test_nothing_behind_the_box_is_read_where_places_are_rounded(turned: tuple[int, int], size: int) -> None:
    """Places that float64 puts just before the last voxel, and float32 on it."""
    data = np.full(2 * size**3, np.nan, np.float32)
    data[: size**3] = 1.0  # what lies behind the box is no number
    centre = np.full(3, (size - 1) / 2)
    for angle in np.radians([30, 60, 180]):
        for factor in (1.0, 1.0 - 1e-9):
            linear = np.eye(3) * factor
            (one, other), (sine, cosine) = turned, (np.sin(angle), np.cos(angle))
            linear[[one, one, other, other], [one, other, one, other]] = (
                np.array([cosine, -sine, sine, cosine]) * factor
            )
            rows = np.hstack([linear, (centre - linear @ centre)[:, None]])
            out = np.empty((size,) * 3, np.float32)
            read_linear(Reading(data, 0, (size**2, size), (size,) * 3, rows), out)
            assert np.isfinite(out).all()


def test_compiling_leaves_standard_output_alone() -> None:
    pytest.importorskip("numba")
    code = (
        "import threading; from vesalia.imaging.affine_loops import compile_straight; "
        "thread = threading.Thread(target=compile_straight); thread.start(); thread.join(); "
        "from numba.core import errors; print(type(errors.termcolor()).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "NOPColorScheme"
