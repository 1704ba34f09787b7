"""Boxes copied by compiled loops: the numbers that NumPy gives, to the bit."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.imaging import box_loops
from vesalia.imaging.affine_loops import is_compiled
from vesalia.imaging.box_loops import Boxes, copied_rows, loop_of, scaled_rows
from vesalia.transforms.fusion.pending import Rule

TYPES = [np.float32, np.int16, np.uint8]
RULES = [None, Rule(1.5, -3.0, -math.inf, math.inf, 0.0), Rule(-0.01, 2.0, -1.0, 1.0, 0.0)]


def numbers(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def by_numpy(box: np.ndarray, back: list[bool], rule: Rule | None) -> np.ndarray:
    turned = box[tuple(slice(None, None, -1 if reverse else None) for reverse in back)]
    if rule is None:
        return turned
    scaled = turned * np.float32(rule.scale) + np.float32(rule.shift)
    clipped: np.ndarray = np.clip(scaled, np.float32(rule.low), np.float32(rule.high))
    return clipped


@given(
    back=st.lists(st.booleans(), min_size=3, max_size=3),
    start=st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 4)),
    dtype=st.sampled_from(TYPES),
    rule=st.sampled_from(RULES),
    dims=st.sampled_from([2, 3]),
)
def test_a_box_is_what_numpy_makes_of_it(
    back: list[bool], start: tuple[int, ...], dtype: Any, rule: Rule | None, dims: int
) -> None:
    source, place = numbers((2, 2, 6, 7, 9)[: 2 + dims], dtype), (1, 0, *start[:dims])
    size = (3, 4, 5)[:dims]
    box = source[1, 0][tuple(slice(first, first + length) for first, length in zip(start, size, strict=False))]
    out = np.empty(size, dtype if rule is None else np.float32)
    loop = copied_rows if rule is None else scaled_rows
    Boxes(source).copy(loop, place, back[:dims], out, rule)
    assert np.array_equal(out, by_numpy(box, back[:dims], rule))


def test_a_view_of_a_larger_array_is_read_where_it_lies() -> None:
    whole = numbers((2, 8, 8, 12), np.uint8)
    view, out = whole[:, 2:, :, 3:9], np.empty((2, 3, 4), np.uint8)
    assert Boxes.suit(view)
    Boxes(view).copy(copied_rows, (1, 1, 2, 1), [False, True, True], out)
    assert np.array_equal(out, view[1, 1:3, 2:5, 1:5][:, ::-1, ::-1])


def test_what_does_not_lie_dense_is_not_suited() -> None:
    data = numbers((1, 1, 4, 4, 4), np.uint8)
    assert not Boxes.suit(data[..., ::2])
    assert not Boxes.suit(data[:, :, ::-1])
    assert not Boxes.suit(data[:0])


@pytest.mark.skipif(not is_compiled(), reason="Numba, the extra fast, is not installed")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("scaled", [False, True])
def test_a_loop_is_compiled_in_the_background(dtype: Any, scaled: bool) -> None:
    source = numbers((1, 1, 4, 5, 40), dtype)
    rule = RULES[2] if scaled else None
    out = np.empty((4, 5, 33), np.float32 if scaled else dtype)
    loop_of(source.dtype, out.dtype, scaled=scaled)
    for loop in list(box_loops._COMPILED.values()):
        assert loop.thread is not None
        loop.thread.join()
    ready = loop_of(source.dtype, out.dtype, scaled=scaled)
    assert ready is not None
    Boxes(source).copy(ready, (0, 0, 0, 0, 2), [True, False, True], out, rule)
    assert np.array_equal(out, by_numpy(source[0, 0, :, :, 2:35], [True, False, True], rule))


@pytest.mark.parametrize(("source", "target", "scaled"), [("f8", "f8", False), ("u1", "f8", True), ("i2", "u1", False)])
def test_other_types_have_no_loop(source: str, target: str, scaled: bool) -> None:
    assert loop_of(np.dtype(source), np.dtype(target), scaled=scaled) is None


def test_without_numba_there_is_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(box_loops, "is_compiled", lambda: False)
    monkeypatch.setattr(box_loops, "_COMPILED", {})
    kind = np.dtype(np.uint8)
    assert loop_of(kind, kind, scaled=False) is None
    assert box_loops._COMPILED == {}
