"""Axes: round ticks that span the values, and values that fall between the ends."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.inference.axis import axis_over, tick_text

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=12)


@given(VALUES)
def test_an_axis_spans_its_values_with_few_ticks(values: list[float]) -> None:
    axis = axis_over([*values, math.nan, math.inf])
    assert axis.low < axis.high
    assert 2 <= len(axis.ticks) <= 8
    span = axis.high - axis.low
    assert all(-1e-6 <= axis.fraction(value) <= 1 + 1e-6 for value in values)
    assert axis.fraction(axis.low) == 0
    assert axis.fraction(axis.high) == pytest.approx(1)
    gaps = [b - a for a, b in zip(axis.ticks, axis.ticks[1:], strict=False)]
    assert gaps == pytest.approx([gaps[0]] * len(gaps), abs=span * 1e-6)


@given(st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=12))
def test_a_log_axis_has_powers_of_ten(values: list[float]) -> None:
    axis = axis_over([*values, 0.0, -1.0], log=True)
    assert all(-1e-9 <= axis.fraction(value) <= 1 + 1e-9 for value in values)
    assert all(math.log10(tick) == pytest.approx(round(math.log10(tick))) for tick in axis.ticks)


def test_round_ticks() -> None:
    assert axis_over([0.62, 0.97]).ticks == pytest.approx((0.6, 0.7, 0.8, 0.9, 1.0))
    assert axis_over([0.5]).ticks[0] == 0
    assert axis_over([]).ticks[-1] == 1
    assert axis_over([0.0], log=True).log is False


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.30000000004, "0.3"), (2500, "2500"), (1e-4, "1e-4"), (2e5, "2e5"), (1e12, "1e12")]
)
def test_tick_text(value: float, text: str) -> None:
    assert tick_text(value) == text
