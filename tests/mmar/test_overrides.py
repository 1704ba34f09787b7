"""Text after ``--set`` gets the type that v3 gives it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.errors import ConfigError
from vesalia.mmar.overrides import parse_set, typed

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("TRUE", "TRUE"),
        ("3", 3),
        ("-3", -3),
        ("0", 0),
        ("007", "007"),
        ("1e-4", 1e-4),
        ("1.", 1.0),
        (".5", 0.5),
        ("+2.5E3", 2500.0),
        ("1e999", "1e999"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_000", "1_000"),
        ("1.2.3", "1.2.3"),
        ("9" * 30, "9" * 30),
        ("", ""),
        ("a=b", "a=b"),
        ("/data/x y", "/data/x y"),
        ("٣", "٣"),
    ],
)
def test_types(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)


@given(st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans())
def test_what_python_writes_reads_back(value: float) -> None:
    read = typed(str(value))
    assert isinstance(read, int | float)
    assert math.isclose(read, value)
    assert isinstance(read, bool) == isinstance(value, bool)


@given(st.dictionaries(NAMES, st.text()))
def test_every_pair_is_read(values: dict[str, str]) -> None:
    read = parse_set([f"{name}={text}" for name, text in values.items()])
    assert read == {name: typed(text) for name, text in values.items()}


@given(st.text())
def test_any_text_has_a_value(text: str) -> None:
    value = typed(text)
    assert value == text or not isinstance(value, str)


def test_the_last_of_a_name_counts_and_nothing_is_fine() -> None:
    assert parse_set(["a=1", "a=2"]) == {"a": 2}
    assert parse_set([]) == {}


def test_all_that_is_not_a_pair_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_set(["epochs", "good=1", "=3", "a b=3", "", "train.loss.name=Dice"])
    assert [str(fault) for fault in caught.value.faults] == [
        '--set: found "epochs", expected NAME=value; write epochs=value',
        '--set: found "=3", expected NAME=value; write NAME=value without spaces around =',
        '--set: found "a b=3", expected NAME=value; write NAME=value without spaces around =',
        '--set: found "", expected NAME=value; write NAME=value without spaces around =',
        (
            "--set: train.loss.name: found a path into the config, expected the name of a top-level key or a variable; "
            "write name=... if it is a top-level key; what lies deeper belongs in the config file"
        ),
    ]
