"""The largest channel by loops: as NumPy says, in one part or in several, compiled or not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging import label_loops as module
from vesalia.imaging.affine_loops import compiled, is_compiled
from vesalia.imaging.label_loops import Axis, LabelLoops, label_loops, make_loops

KINDS = ["plain", pytest.param("compiled", marks=pytest.mark.skipif(not is_compiled(), reason="Numba is not there"))]
UINT8 = np.dtype(np.uint8)


@cache
def loops(kind: str) -> LabelLoops:
    return make_loops(compiled if kind == "compiled" else lambda loop: loop)


def values_of(channels: int, shape: tuple[int, ...], *, levels: int) -> npt.NDArray[np.float32]:
    """Few levels give many equals."""
    values: npt.NDArray[np.float32] = (
        np.random.default_rng(0).integers(0, levels, (channels, *shape)).astype(np.float32)
    )
    values /= 7
    return values


def axes_of(shape: tuple[int, ...], scale: float) -> list[Axis]:
    found = []
    for size in shape:
        places = np.arange(0, size - 1 + 1e-9, scale)
        low = np.floor(places).astype(np.int64)
        part = (places - low).astype(np.float32)
        found.append((low, np.where(part > 0, np.minimum(low + 1, size - 1), low), part))
    return found


def interpolated(values: npt.NDArray[np.float32], axes: list[Axis]) -> npt.NDArray[np.float32]:
    """Every channel, the last axis first, in the same order of sums."""
    for axis in range(len(axes), 0, -1):
        low, high, part = axes[axis - 1]
        below = values.take(low, axis)
        values = below + (values.take(high, axis) - below) * part.reshape([-1, *[1] * (len(axes) - axis)])
    return values


def decided(
    by: LabelLoops, values: npt.NDArray[np.float32], axes: list[Axis], dtype: Any = np.uint8
) -> npt.NDArray[Any]:
    flat = values.reshape(len(values), -1)
    labels = np.empty(flat.shape[1], dtype)
    second = by.largest(flat, labels)
    assert np.array_equal(labels, flat.argmax(axis=0))
    assert np.array_equal(second, np.sort(flat, axis=0)[-2])
    return by.decided(flat, labels, second=second, shape=values.shape[1:], axes=axes)


@pytest.mark.parametrize("kind", KINDS)
@given(
    channels=st.integers(2, 9),
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=3).map(tuple),
    levels=st.sampled_from([2, 3, 1000]),
    scale=st.sampled_from([0.4, 0.5, 1.0, 1.7]),
)
def test_labels_are_those_of_every_channel(
    kind: str, channels: int, shape: tuple[int, ...], levels: int, scale: float
) -> None:
    """Also where values are equal: then the first channel is taken."""
    values, axes = values_of(channels, shape, levels=levels), axes_of(shape, scale)
    assert np.array_equal(decided(loops(kind), values, axes), interpolated(values, axes).argmax(axis=0))


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_more_classes_than_a_byte_counts(kind: str) -> None:
    values, axes = values_of(300, (3, 4, 5), levels=1000), axes_of((3, 4, 5), 0.4)
    found = decided(loops(kind), values, axes, np.int16)
    assert np.array_equal(found, interpolated(values, axes).argmax(axis=0))
    assert found.max() > 255


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cores", [1, 3])
def test_parts_change_nothing(kind: str, cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values, axes = values_of(5, (5, 6, 7), levels=1000), axes_of((5, 6, 7), 0.6)
    expected = decided(loops(kind), values, axes)
    monkeypatch.setattr(module, "_LEAST_PER_THREAD", 10)
    monkeypatch.setattr(module, "_cores", lambda: cores)
    used: set[str] = set()

    def noting(values: Any, labels: Any, second: Any, start: int, stop: int) -> None:
        used.add(threading.current_thread().name)
        loops(kind).two_largest(values, labels, second, start, stop)

    parted = LabelLoops(noting, loops(kind).between)
    assert np.array_equal(decided(parted, values, axes), expected)
    others = {name for name in used if name.startswith("vesalia-labels")}
    assert bool(others) == (cores > 1)
    assert others.isdisjoint(thread.name for thread in threading.enumerate())


@pytest.mark.skipif(not is_compiled(), reason="Numba is not there")
@pytest.mark.parametrize("labels", [np.uint8, np.int16])
def test_they_are_compiled_in_the_background_once_it_is_worth_it(labels: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOPS", {})
    monkeypatch.setattr(module, "_DONE", module._Work())
    kind = np.dtype(labels)
    assert label_loops(kind, work=module._WORTH_COMPILING - 1) is None
    assert module._LOOPS == {}
    label_loops(kind, work=1)
    (making,) = module._LOOPS.values()
    assert making.thread is not None
    making.thread.join()
    made = label_loops(kind, work=1)
    assert made is not None
    values, found = values_of(300, (50,), levels=1000), np.empty(50, labels)
    made.largest(values[:200], found)
    assert np.array_equal(found, values[:200].argmax(axis=0))


def test_without_numba_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_compiled", lambda: False)
    monkeypatch.setattr(module, "_LOOPS", {})
    assert label_loops(UINT8, work=10**12) is None
    assert module._LOOPS == {}
