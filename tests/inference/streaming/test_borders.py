"""Few classes interpolated, the same labels as with all of them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from vesalia.imaging.label_loops import make_loops
from vesalia.inference.streaming import borders
from vesalia.inference.streaming.borders import Reading, decided

SHAPE = (4, 5, 6)
LOOPS = make_loops(lambda loop: loop)


@pytest.fixture(params=["steps", "loops"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """By NumPy, a step for all voxels, or by loops, a voxel after the other."""
    loops = LOOPS if request.param == "loops" else None
    monkeypatch.setattr(borders, "label_loops", lambda *_, **__: loops)
    return str(request.param)


def readings(dims: int = 3, scale: float = 0.6) -> list[Reading]:
    found = []
    for size in SHAPE[:dims]:
        places = np.arange(0, size - 1, scale)
        low = np.floor(places).astype(np.int64)
        share = (places - low).astype(np.float32)
        found.append((slice(0, len(low)), low, np.where(share > 0, low + 1, low), share))
    return found


def interpolated(values: npt.NDArray[np.float32], given: Sequence[Reading]) -> npt.NDArray[np.float64]:
    """Every channel, one axis after the other, in float64."""
    whole = values.astype(np.float64)
    for axis, (_, low, high, share) in enumerate(given, start=1):
        part = share.astype(np.float64).reshape([-1 if one == axis else 1 for one in range(whole.ndim)])
        whole = whole.take(low, axis) * (1 - part) + whole.take(high, axis) * part
    return whole


def kind(name: str, channels: int, dims: int) -> npt.NDArray[np.float32]:
    dice = np.random.default_rng(3)
    values = dice.normal(size=(channels, *SHAPE[:dims]))
    if name == "sharp":
        values = np.exp(5 * values)
        values /= values.sum(axis=0)
    elif name == "even":
        values = 1 / channels + 1e-3 * values
    elif name == "apart":
        values = 1 / (1 + np.exp(-values))
    return values.astype(np.float32)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("channels", [2, 3, 20, 300])
@pytest.mark.parametrize("name", ["sharp", "even", "apart", "below 0"])
def test_labels_are_those_of_all_channels_interpolated(name: str, channels: int, dims: int) -> None:
    values, given = kind(name, channels, dims), readings(dims)
    before = values.copy()
    found, whole = decided(values, given), interpolated(values, given)
    chosen = np.take_along_axis(whole, found[None].astype(np.int64), axis=0)[0]
    assert (whole.max(axis=0) - chosen).max() < 1e-6
    assert np.array_equal(values, before)
    assert found.dtype == (np.uint8 if channels <= 256 else np.int16)


def test_a_channel_that_is_largest_in_no_corner_may_win() -> None:
    values = np.zeros((3, 2, 1, 1), dtype=np.float32)
    values[:, 0, 0, 0], values[:, 1, 0, 0] = (0.5, 0.0, 0.45), (0.0, 0.5, 0.45)
    one = (slice(0, 1), np.array([0]), np.array([0]), np.zeros(1, dtype=np.float32))
    between = (slice(0, 1), np.array([0]), np.array([1]), np.full(1, 0.5, dtype=np.float32))
    assert decided(values, [between, one, one]).item() == 2


def test_the_first_of_equals_wins_among_any_number_of_labels() -> None:
    values = np.zeros((5, 4, 1), dtype=np.float32)
    for place, label in enumerate((4, 2, 3, 1)):
        values[label, place] = 1
    # Each corner weighs a quarter: four labels have the same average.
    square = values.reshape(5, 2, 2)
    half = (slice(0, 1), np.array([0]), np.array([1]), np.full(1, 0.5, dtype=np.float32))
    assert decided(square, [half, half]).item() == 1


def test_pieces_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values, given = kind("even", 20, 3), readings()
    expected = decided(values, given)
    monkeypatch.setattr(borders, "_AT_A_TIME", 7)
    monkeypatch.setattr(borders, "_VALUES_AT_A_TIME", 50)
    assert np.array_equal(decided(values, given), expected)


def test_few_voxels_need_every_channel(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of smooth values, which is what makes it quick."""
    if way == "loops":
        pytest.skip("counted by steps alone")
    places = np.stack(np.meshgrid(*(np.arange(size) for size in SHAPE), indexing="ij"))
    centres = np.random.default_rng(0).uniform(0, 6, (20, 3, 1, 1, 1))
    values = np.exp(-((places - centres) ** 2).sum(axis=1) / 8).astype(np.float32)
    counted: list[int] = []
    whole = borders._Source.largest

    def largest(source: borders._Source, corners: borders.Corners) -> npt.NDArray[np.uint8]:
        counted.append(len(corners.shares[0]))
        return whole(source, corners)

    monkeypatch.setattr(borders._Source, "largest", largest)
    found = decided(values, readings())
    assert len(np.unique(found)) > 5
    assert sum(counted) < 0.2 * found.size
