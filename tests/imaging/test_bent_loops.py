"""The bent loops by themselves: as Python runs them, and as Numba compiles them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalia.imaging import affine_loops, bent_loops
from vesalia.imaging.affine_loops import Reading, read_linear
from vesalia.imaging.bent_loops import Bend, read_bent_linear, read_bent_nearest
from vesalia.imaging.resample import Mode, sample_at

SHAPE, SIZE = (6, 5, 7), (3, 4, 9)
Array = npt.NDArray[np.float64]
quietly = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


@pytest.fixture(params=["as Python", "compiled"])
def loops(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The loops in both forms; without Numba there is only one."""
    if request.param == "as Python":
        monkeypatch.setattr(affine_loops, "_numba_is_there", lambda: False)
    elif not affine_loops.is_compiled():
        pytest.skip("Numba is not installed: there is nothing to compile with")
    bent_loops._loops.forget()
    yield
    bent_loops._loops.forget()


def source(dtype: type = np.float32) -> np.ndarray:
    """Different numbers in a small box."""
    return np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)


def matrix(seed: int) -> Array:
    """A map that leads partly outside."""
    random = np.random.default_rng(seed)
    return np.hstack([np.eye(3) * 0.7 + random.normal(size=(3, 3)) * 0.2, random.normal(size=(3, 1)) + 0.5])


def bend(seed: int, points: tuple[int, int, int] = (3, 2, 4)) -> Bend:
    """Displacements, and a way to their control points that leaves them now and then, and stands still on one axis."""
    random = np.random.default_rng(seed)
    way = np.hstack([random.normal(size=(3, 3)) * 0.4, random.uniform(-0.5, 2, size=(3, 1))])
    way[seed % 3, 2] = 0.0
    return Bend(random.normal(size=(3, *points)) * 0.8, way)


def by_torch(data: np.ndarray, rows: Array, bent: Bend, mode: Mode) -> np.ndarray:
    """The same by the resampling that everything else uses."""
    places = np.stack(np.meshgrid(*map(np.arange, SIZE), indexing="ij")).reshape(3, -1)
    at = torch.from_numpy((bent.matrix[:, :3] @ places + bent.matrix[:, 3:]).T)
    last = torch.tensor(bent.points.shape[1:], dtype=torch.float64) - 1
    where = (at * 2 / last - 1).flip(-1).view(1, *SIZE, 3)
    moved = F.grid_sample(torch.from_numpy(bent.points)[None], where, padding_mode="border", align_corners=True)[0]
    straight = torch.from_numpy((rows[:, :3] @ places + rows[:, 3:]).reshape(3, *SIZE))
    return sample_at(torch.from_numpy(data)[None, None].double(), straight + moved, mode=mode)[0, 0].numpy()


def reading(data: np.ndarray, rows: Array, *, scale: float = 1.0, shift: float = 0.0, fill: float = 0.0) -> Reading:
    """All of ``data``."""
    return Reading(data.ravel(), 0, (data.shape[1] * data.shape[2], data.shape[2]), SHAPE, rows, scale, shift, fill)


@pytest.mark.usefixtures("loops")
@quietly
@given(seed=st.integers(0, 2**20))
def test_linear_reads_as_torch_does(seed: int) -> None:
    out = np.empty(SIZE, np.float32)
    read_bent_linear(reading(source(), matrix(seed)), out, bend=bend(seed))
    assert np.allclose(out, by_torch(source(), matrix(seed), bend(seed), "linear"), atol=2e-3)


@pytest.mark.usefixtures("loops")
@quietly
@given(seed=st.integers(0, 2**20))
def test_nearest_reads_as_torch_does(seed: int) -> None:
    out = np.empty(SIZE, np.uint8)
    read_bent_nearest(reading(source(np.uint8), matrix(seed)), out, bend=bend(seed))
    assert np.array_equal(out, by_torch(source(np.uint8), matrix(seed), bend(seed), "nearest"))


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("mode", ["linear", "nearest"])
def test_rows_that_stay_in_the_box_and_rows_that_leave_it(mode: Mode) -> None:
    """One cell is left after the other; in the middle no border is looked at."""
    rows = np.hstack([np.diag([1.5, 1.0, 0.5]), [[1.0], [0.2], [0.7]]])
    way = np.hstack([np.diag([1.0, 0.5, -0.4]), [[0.0], [0.1], [3.1]]])
    bent = Bend(np.random.default_rng(1).uniform(-0.4, 0.4, (3, 3, 3, 4)), way)
    wanted = by_torch(source(np.uint8), rows, bent, mode)
    out = np.empty(SIZE, np.float32 if mode == "linear" else np.uint8)
    (read_bent_linear if mode == "linear" else read_bent_nearest)(reading(source(np.uint8), rows), out, bend=bent)
    assert np.allclose(out, wanted, atol=2e-3)
    assert (wanted == 0).any() == (out == 0).any()


@pytest.mark.usefixtures("loops")
def test_without_displacements_it_is_the_straight_reading() -> None:
    straight, out = np.empty(SIZE, np.float32), np.empty(SIZE, np.float32)
    read_linear(reading(source(np.int16), matrix(4)), straight)
    read_bent_linear(reading(source(np.int16), matrix(4)), out, bend=Bend(np.zeros((3, 2, 2, 2)), np.eye(3, 4)))
    assert np.allclose(out, straight, atol=2e-3)


@pytest.mark.usefixtures("loops")
def test_values_are_scaled_and_the_outside_is_filled() -> None:
    shift = np.zeros((3, 2, 2, 2))
    shift[2] = 3.0
    out = np.empty(SIZE, np.float32)
    whole = reading(source(np.int16), np.eye(3, 4), scale=2.0, shift=1.0, fill=-7.0)
    read_bent_linear(whole, out, bend=Bend(shift, np.eye(3, 4)))
    assert np.array_equal(out[:, :, :4], source()[:3, :4, 3:] * 2.0 + 1.0)
    assert (out[:, :, 4:] == -7.0).all()


@pytest.mark.usefixtures("loops")
def test_a_box_within_a_larger_volume_is_all_that_is_read() -> None:
    big = np.full((8, 9, 10), np.nan, np.float32)
    box = big[1:7, 2:7, 3:10]
    box[...] = source()
    for seed in range(20):
        out = np.empty(SIZE, np.float32)
        read_bent_linear(Reading(big.ravel(), 90 + 20 + 3, (90, 10), SHAPE, matrix(seed)), out, bend=bend(seed))
        assert np.allclose(out, by_torch(source(), matrix(seed), bend(seed), "linear"), atol=2e-3)


@pytest.mark.usefixtures("loops")
def test_nothing_behind_the_box_is_read_where_places_are_rounded() -> None:
    """A place that float64 puts just before the last voxel of a row, and float32 on it."""
    big = np.full((4, 4, 12), np.nan, np.float32)
    big[:3, :3, :9] = 1.0
    rows = np.eye(3, 4)
    rows[2, 3] = 5 - 1e-9
    out = np.empty((2, 2, 4), np.float32)
    read_bent_linear(Reading(big.ravel(), 0, (48, 12), (3, 3, 9), rows), out, bend=Bend(np.zeros((3, 2, 2, 2)), rows))
    assert (out == 1.0).all()


@pytest.mark.skipif(not affine_loops.is_compiled(), reason="Numba is not there")
@pytest.mark.parametrize(
    ("module", "ahead"), [(affine_loops, affine_loops.compile_straight), (bent_loops, bent_loops.compile_bent)]
)
def test_what_training_reads_is_compiled_ahead(module: ModuleType, ahead: Callable[[], None]) -> None:
    module._loops.forget()
    ahead()
    assert [len(loop.signatures) for loop in module._loops()[:2]] == [2, 1]  # images of two types, labels of one
