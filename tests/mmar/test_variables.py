"""``{NAME}`` is put in place: typed where it stands alone, as text inside text."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.mmar.variables import Unresolved, substitute, text_of

NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,5}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
PLAIN = st.text(alphabet=st.characters(blacklist_characters="{}"), max_size=6)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{A}", 1e-4),
        ("{B}", True),
        ("{C}/model.ckpt", "/data/model.ckpt"),
        ("{C}{C}", "/data/data"),
        ("lr_{A}_{B}_{D}", "lr_0.0001_true_null"),
        ("{0} {} { A } {a-b}", "{0} {} { A } {a-b}"),
    ],
)
def test_puts_values_in_place(text: str, value: object) -> None:
    variables = {"A": 1e-4, "B": True, "C": "/data", "D": None}
    assert substitute(text, variables) == (value, [])


def test_works_in_depth_and_leaves_its_input_alone() -> None:
    data = {"a": ["{X}", {"b": "{X}y", "{X}": 1}], "c": 3}
    assert substitute(data, {"X": 2}) == ({"a": [2, {"b": "2y", "{X}": 1}], "c": 3}, [])
    assert data == {"a": ["{X}", {"b": "{X}y", "{X}": 1}], "c": 3}


def test_unknown_names_are_told_with_their_place_and_the_nearest_name() -> None:
    data = {"a": ["{DATA_ROT}/x {Y}"], "b": "{data_root}"}
    replaced, missing = substitute(data, {"DATA_ROOT": "/d"})
    assert replaced == data
    assert missing == [
        Unresolved("a[0]", "DATA_ROT", "DATA_ROOT"),
        Unresolved("a[0]", "Y", None),
        Unresolved("b", "data_root", "DATA_ROOT"),
    ]
    assert str(missing[0].fault("c.json")) == (
        "c.json: a[0]: found the variable {DATA_ROT}, which is not set, expected a variable that is; write {DATA_ROOT} "
        '(did you mean this?), or add --set DATA_ROT=..., or a line "DATA_ROT" in environment.json'
    )
    assert "write add --set Y=..." in str(missing[1].fault("c.json"))


@given(NAMES, SCALARS)
def test_alone_it_keeps_its_type(name: str, value: object) -> None:
    replaced, missing = substitute(f"{{{name}}}", {name: value})
    assert replaced == value
    assert type(replaced) is type(value)
    assert not missing


@given(PLAIN, NAMES, SCALARS, PLAIN)
def test_inside_text_it_is_text(before: str, name: str, value: object, after: str) -> None:
    replaced, _ = substitute(f"{before}{{{name}}}{after}", {name: value})
    if before or after:
        assert replaced == f"{before}{text_of(value)}{after}"


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner), max_leaves=8))
def test_without_variables_everything_that_is_not_reported_stays(data: object) -> None:
    replaced, _ = substitute(data, {})
    assert json.dumps(replaced) == json.dumps(data)
