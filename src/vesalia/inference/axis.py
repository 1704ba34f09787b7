"""An axis of a chart: which numbers it runs between, where its ticks are, and where a value falls."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Axis", "axis_over", "tick_text"]

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS = 5
_TINY = 1e-3
_SAME = 1e-9
"""Values nearer to each other than this part of their size are drawn as one value."""
_NOTHING = 1e-100
_HUGE = 1e5


@dataclass(frozen=True, slots=True)
class Axis:
    """A range with ticks.

    Attributes:
        low: Left or lower end.
        high: Right or upper end.
        ticks: Where lines are drawn.
        log: Whether equal steps are equal factors.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def holds(self, value: float) -> bool:
        """Whether ``value`` can be drawn at all: finite and, on a log axis, above nothing."""
        return math.isfinite(value) and (value > _NOTHING or not self.log)

    def fraction(self, value: float) -> float:
        """Where ``value`` falls: 0 at the low end, 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def axis_over(values: Iterable[float], *, log: bool = False) -> Axis:
    """An axis over ``values`` with round ends; values that are not finite (with ``log``: not positive) are left out."""
    kept = [value for value in values if math.isfinite(value) and (value > _NOTHING or not log)]
    low, high = (min(kept), max(kept)) if kept else (0.0, 1.0)
    if log and kept:
        return _log_axis(low, high)
    largest = max(abs(low), abs(high))
    if high - low <= max(_SAME * largest, _NOTHING):
        half = max(largest / 2, 0.5)
        low, high = low - half, high + half
    step = _step(high - low)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(float(f"{index * step:.12g}") for index in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def _log_axis(low: float, high: float) -> Axis:
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    last = max(last, first + 1)
    every = max(1, (last - first) // _TICKS)
    return Axis(10.0**first, 10.0**last, tuple(10.0**power for power in range(first, last + 1, every)), log=True)


def _step(span: float) -> float:
    rough = span / _TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return magnitude * min(step for step in _STEPS if step * magnitude >= rough * (1 - 1e-9))


def tick_text(value: float) -> str:
    """A tick's label, without needless digits."""
    if value and (abs(value) < _TINY or abs(value) >= _HUGE):
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return f"{value:.6g}"
