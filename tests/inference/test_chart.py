"""Charts: well-formed SVG, escaped names, gaps where there is no number."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.inference.chart import Dot, Series, Strip, line_chart, strip_chart

NUMBERS = st.floats(-1e6, 1e6) | st.just(math.nan)


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own text


@given(st.lists(st.tuples(st.floats(0, 1e6), NUMBERS), max_size=10), st.text(max_size=20), st.booleans())
def test_line_charts_are_well_formed(points: list[tuple[float, float]], name: str, log: bool) -> None:
    printable = "".join(c for c in name if c.isprintable())
    parse(line_chart([Series(printable, tuple(points)), Series("b", ())], title=printable, x_label="x", log=log))


@given(st.lists(NUMBERS, max_size=10))
def test_strip_charts_are_well_formed_and_show_each_case(values: list[float]) -> None:
    strip = Strip("a <b> & c", tuple(Dot(value, f"case {index}") for index, value in enumerate(values)))
    drawn = parse(strip_chart([strip], title="t"))
    assert len(drawn.findall("circle")) == sum(math.isfinite(value) for value in values)


def test_a_gap_parts_the_line() -> None:
    points = ((0.0, 1.0), (1.0, 2.0), (2.0, math.nan), (3.0, 1.0), (4.0, 2.0), (5.0, math.nan), (6.0, 3.0))
    drawn = parse(line_chart([Series("a", points)], title="t", x_label="x"))
    assert len(drawn.findall("polyline")) == 2
    assert len(drawn.findall("circle")) == 1  # the point that stands alone


def test_the_marked_point_is_ringed_and_says_its_value() -> None:
    drawn = parse(line_chart([Series("a", ((0.0, 0.25), (1.0, 0.75)), marked=1)], title="t", x_label="x"))
    (ring,) = drawn.findall("circle")
    assert ring.get("class") == "ring-0"
    assert ring.findtext("title") == "0.75"


def test_a_legend_only_where_there_are_several() -> None:
    one = Series("first", ((0.0, 1.0), (1.0, 2.0)))
    assert "first" not in line_chart([one], title="t", x_label="x")
    assert "first" in line_chart([one, one], title="t", x_label="x")


def test_strips_of_shares_end_at_one() -> None:
    drawn = parse(strip_chart([Strip("s", (Dot(0.62, "a"), Dot(0.7, "b")))], title="t"))
    ticks = [text.text for text in drawn.findall("text") if text.get("class") == "axis"]
    assert ticks[-1] == "1"


def test_long_names_are_cut_and_still_readable_in_full() -> None:
    name = "a class with a very long name indeed"
    svg = strip_chart([Strip(name, (Dot(1, "a"),)), Strip("none", (Dot(math.nan, "b"),))], title="t")
    assert f"<title>{name}</title>" in svg
    assert "no case to judge" in svg


@pytest.mark.parametrize("hostile", ['"><script>', "a & b", "<svg/onload=1>"])
def test_names_are_escaped(hostile: str) -> None:
    svg = line_chart([Series(hostile, ((0.0, 1.0),))] * 2, title=hostile, x_label=hostile)
    svg += strip_chart([Strip(hostile, (Dot(1.0, hostile),))], title=hostile)
    assert hostile not in svg
