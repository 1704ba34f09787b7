"""JSON for people: the same data, on few lines, none too long."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vesalia.datatools.readable_json import readable_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(DATA)
def test_nothing_is_lost(data: object) -> None:
    assert json.loads(readable_json(data)) == data


def test_a_component_stands_on_one_line() -> None:
    data = {
        "loss": {"name": "Dice", "args": {"fields": ["a", "b"]}},
        "steps": [{"name": "A"}, {"name": "B"}],
        "none": [],
    }
    expected = (
        '{\n  "loss": {"name": "Dice", "args": {"fields": ["a", "b"]}},\n  "steps": [\n    {"name": "A"},\n'
        '    {"name": "B"}\n  ],\n  "none": []\n}\n'
    )
    assert readable_json(data) == expected


def test_lines_keep_their_width() -> None:
    data = {"a": [{"name": "x" * 30, "args": {"one": "y" * 30, "two": "z" * 30, "three": [1, 2, 3]}}]}
    assert max(map(len, readable_json(data).splitlines())) <= 110
