"""Charts as SVG text: lines over steps, strips of dots over boxes. Colours come from the page's style sheet.

The same data give the same text. Colours are CSS classes (``series-0`` ...), so charts follow the light or dark theme.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from vesalia.inference.axis import Axis, axis_over, tick_text

__all__ = ["SERIES_COLOURS", "Dot", "Series", "Strip", "line_chart", "strip_chart"]

SERIES_COLOURS = 6
"""Series have this many colours before they begin again."""

_WIDTH = 560
_HEIGHT = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 20, 30, 40
_LEGEND_STEP = 16
_STRIP_LEFT = 170
_STRIP_ROW = 46
_DOT = 3.2
_LANES = (0, -1, 1, -2, 2)
_NAME_LETTERS = 24


@dataclass(frozen=True, slots=True)
class Series:
    """A line.

    Attributes:
        name: What the legend says.
        points: ``(x, y)`` pairs; a y that is not finite breaks the line.
        marked: Index of a point that is ringed, such as the best one.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    marked: int | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """One case in a strip: its value, and what a pointer over it reads."""

    value: float
    title: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of dots over a box from the first to the third quartile."""

    name: str
    dots: tuple[Dot, ...]


def line_chart(series: Sequence[Series], *, title: str, x_label: str, log: bool = False) -> str:
    """Lines over a common x axis, with a legend where there are several.

    Args:
        series: The lines.
        title: What stands above.
        x_label: What stands below.
        log: A logarithmic y axis.
    """
    up = axis_over((y for one in series for _, y in one.points), log=log)
    across = axis_over(x for one in series for x, y in one.points if up.holds(y))
    frame = _Frame(across, up, _LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, _TOP)
    legend = [one.name for one in series] if len(series) > 1 else []
    parts = [_svg_open(_WIDTH, _HEIGHT + _LEGEND_STEP * len(legend), title), _text(_LEFT, 18, title, "chart-title")]
    parts += frame.grid_lines()
    parts.append(_text((frame.left + frame.right) / 2, _HEIGHT - 8, x_label, "axis", anchor="middle"))
    for index, one in enumerate(series):
        parts += _line(one, frame, index % SERIES_COLOURS)
    for index, name in enumerate(legend):
        y = _HEIGHT + _LEGEND_STEP * index
        parts.append(
            f'<rect class="fill-{index % SERIES_COLOURS}" x="{_LEFT}" y="{y - 4}" width="14" height="4" rx="2"/>'
        )
        parts.append(_text(_LEFT + 20, y + 2, name, "axis"))
    return "".join([*parts, "</svg>"])


def strip_chart(strips: Sequence[Strip], *, title: str) -> str:
    """A row per strip over a common axis: a dot per case, the box of the quartiles, a bar at the median.

    Scores between 0 and 1 keep 1 as their upper end, so that strips of different runs look alike.
    """
    values = [dot.value for strip in strips for dot in strip.dots if math.isfinite(dot.value)]
    shares = bool(values) and min(values) >= 0 and max(values) <= 1
    across = axis_over([*values, 1.0] if shares else values)
    bottom = _TOP + _STRIP_ROW * len(strips)
    frame = _Frame(across, Axis(0, 1, ()), _STRIP_LEFT, _WIDTH - _RIGHT, bottom, _TOP)
    parts = [_svg_open(_WIDTH, bottom + 26, title), _text(8, 18, title, "chart-title"), *frame.grid_lines()]
    for row, strip in enumerate(strips):
        parts += _strip(strip, frame, _TOP + _STRIP_ROW * (row + 0.5), row % SERIES_COLOURS)
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class _Frame:
    across: Axis
    up: Axis
    left: float
    right: float
    bottom: float
    top: float

    def x(self, value: float) -> float:
        return self.left + self.across.fraction(value) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - self.up.fraction(value) * (self.bottom - self.top)

    def grid_lines(self) -> list[str]:
        parts = []
        for tick in self.across.ticks:
            x = self.x(tick)
            parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{self.top:.1f}" y2="{self.bottom:.1f}"/>')
            parts.append(_text(x, self.bottom + 15, tick_text(tick), "axis", anchor="middle"))
        for tick in self.up.ticks:
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{self.left:.1f}" x2="{self.right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(_text(self.left - 6, y + 4, tick_text(tick), "axis", anchor="end"))
        return parts


def _line(series: Series, frame: _Frame, colour: int) -> list[str]:
    strokes: list[list[str]] = [[]]
    for x, y in series.points:
        if frame.up.holds(y):
            strokes[-1].append(f"{frame.x(x):.1f},{frame.y(y):.1f}")
        elif strokes[-1]:
            strokes.append([])
    parts = [f'<polyline class="line-{colour}" points="{" ".join(points)}"/>' for points in strokes if len(points) > 1]
    lonely = [points[0].split(",") for points in strokes if len(points) == 1]
    parts += [f'<circle class="fill-{colour}" cx="{x}" cy="{y}" r="{_DOT}"/>' for x, y in lonely]
    if series.marked is not None and frame.up.holds(series.points[series.marked][1]):
        x, y = series.points[series.marked]
        place = f'cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}"'
        parts.append(f'<circle class="ring-{colour}" {place} r="5"><title>{escape(tick_text(y))}</title></circle>')
    return parts


def _strip(strip: Strip, frame: _Frame, middle: float, colour: int) -> list[str]:
    name = strip.name if len(strip.name) <= _NAME_LETTERS else strip.name[: _NAME_LETTERS - 1] + "…"
    parts = [_text(8, middle + 4, name, "label", full=strip.name)]
    dots = [dot for dot in strip.dots if math.isfinite(dot.value)]
    if not dots:
        return [*parts, _text(frame.left + 8, middle + 4, "no case to judge", "axis")]
    low, median, high = (frame.x(float(q)) for q in np.percentile([dot.value for dot in dots], [25, 50, 75]))
    size = f'y="{middle - 13:.1f}" height="26"'
    parts.append(f'<rect class="box-{colour}" x="{low:.1f}" width="{max(high - low, 1):.1f}" {size} rx="3"/>')
    taken: dict[int, int] = {}
    for dot in sorted(dots, key=lambda one: (one.value, one.title)):
        x = frame.x(dot.value)
        lane = taken.get(round(x / (2 * _DOT)), 0)
        taken[round(x / (2 * _DOT))] = lane + 1
        y = middle + _LANES[lane % len(_LANES)] * 1.4 * _DOT
        place = f'cx="{x:.1f}" cy="{y:.1f}" r="{_DOT}"'
        parts.append(f'<circle class="dot-{colour}" {place}><title>{escape(dot.title)}</title></circle>')
    line = f'x1="{median:.1f}" x2="{median:.1f}" y1="{middle - 15:.1f}" y2="{middle + 15:.1f}"'
    return [*parts, f'<line class="median" {line}/>']


def _svg_open(width: float, height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">'


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start", full: str = "") -> str:
    hint = f"<title>{escape(full)}</title>" if full and full != text else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}{hint}</text>'
