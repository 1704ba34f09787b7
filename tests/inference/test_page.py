"""The page: text is escaped, nothing is fetched, tables sort by their numbers."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
import re

from vesalia.inference.page import Cell, details, facts, page, picture, section, table, tiles

HOSTILE = '<script>alert("1")</script> & more'


def test_text_is_escaped() -> None:
    parts = [
        section(HOSTILE, "<p>ok</p>"),
        tiles({HOSTILE: HOSTILE}),
        facts({HOSTILE: HOSTILE}),
        table([HOSTILE], [[HOSTILE, Cell(HOSTILE, 1.0)]]),
        picture(b"png", description=HOSTILE),
        details(HOSTILE, HOSTILE),
    ]
    assert HOSTILE not in page(HOSTILE, *parts)


def test_a_page_needs_nothing_from_elsewhere() -> None:
    made = page("t", section("a", "<p>b</p>"))
    assert not re.search(r"(src|href)=", made)
    assert "url(" not in made
    assert "default-src 'none'" in made
    assert made.count("<script>") == 1


def test_empty_parts_vanish() -> None:
    assert section("title", "", "") == ""
    assert "<dt>" not in facts({"name": ""})


def test_cells_carry_their_number() -> None:
    assert Cell("0.50", 0.5).html() == '<td data-v="0.5">0.50</td>'
    assert Cell("-").html() == '<td data-v="">-</td>'
    assert Cell("0.50", 0.5, bar=True).html() == '<td data-v="0.5" class="bar" style="--v:0.5000">0.50</td>'


def test_tables() -> None:
    made = table(["a", "b"], [["x", "1"], ["y", "2"]], sortable=True, indent=[1])
    assert made.count("<button>") == 2
    assert '<tr class="part"><td>y</td>' in made
    assert "<button>" not in table(["a"], [["x"]])


def test_pictures_are_inside_the_page() -> None:
    made = picture(b"some bytes", description="a case")
    data = made.partition("base64,")[2].partition('"')[0]
    assert base64.b64decode(data) == b"some bytes"
