"""Strict JSON with messages that point at the place; data as JSON has it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalia.errors import ConfigError
from vesalia.runtime.jsonfile import as_json, read_json

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def faults(folder: Path, text: str | bytes) -> int:
    """How many faults a text has; a failure of any other kind is not caught."""
    try:
        read(folder, text)
    except ConfigError as error:
        return len(error.faults) or -1
    return 0


def read(folder: Path, text: str | bytes) -> Any:
    file = folder / "a.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_json(file, "a.json")


@given(DATA)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reads_what_json_writes(tmp_path: Path, data: Any) -> None:
    assert read(tmp_path, json.dumps(data, indent=1)) == data
    assert read(tmp_path, json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass")) == data


@given(st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_data_or_faults(tmp_path: Path, content: bytes) -> None:
    assert faults(tmp_path, content) >= 0


@given(st.text(alphabet='{}[]",:\\ \n1atrue', max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_any_torn_text_is_data_or_faults(tmp_path: Path, content: str) -> None:
    assert faults(tmp_path, content) >= 0


def test_a_byte_order_mark_is_tolerated(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"use_amp": ture}', "a.json: line 1, column 13: found ture, expected a JSON value; write true"),
        ('{"a":\n  True}', "line 2, column 3: found True, expected a JSON value; write true"),
        ('{"a": None}', "found None, expected a JSON value; write null"),
        ('{"a": NaN}', "line 1, column 7: found NaN, expected a finite number"),
        ('{"a": -Infinity}', "found -Infinity, expected a finite number"),
        ('{"a": 1e999}', "line 1, column 7: found 1e999, expected a finite number"),
        ('{"a": .5}', "found .5, expected a JSON value; write 0.5"),
        ('{"a": +5}', "found +5, expected a JSON value; write 5"),
        ('{"a": Dice}', 'found Dice, expected a JSON value; write "Dice" if it is text'),
        ('{"a": }', "found }, expected a JSON value; write a value"),
        ('{"a": [1, 2,]}', "found a comma before a closing bracket, expected no comma there"),
        ('{"a": 1,}', "found a comma before a closing bracket"),
        ('{"a": 1 // one\n}', "found a comment (//), expected plain JSON"),
        ("{'a': 1}", "found 'a', expected text in double quotes; write \"a\""),
        ("{\"a\": 'b'}", "found 'b', expected text in double quotes; write \"b\""),
        ("{a: 1}", 'found a, expected a key in double quotes; write "a"'),
        ("{1: 1}", 'found 1, expected a key in double quotes; write "key": value'),
        ('{"a": 1 "b": 2}', 'found "b", expected a comma before it; write , "b"'),
        ('{"a" 1}', "found 1, expected a colon before it; write : 1"),
        ('{"a": "b\n"}', "found text without a closing quote"),
        ('{"a": "b', "found text without a closing quote"),
        ('{"a": "C:\\data"}', "found a backslash that starts nothing, expected two of them"),
        ('{"a": 1} {}', "found { after the end of the data"),
        ('{"a": 1', "found the end of the file, expected a comma before it"),
        ('{"a": 1,', "found the end of the file"),
        (" \n", "a.json: found an empty file, expected a JSON object"),
        ("[" * 100_000, "found lists or objects nested too deep"),
        ('{"a": ' + "9" * 5000 + "}", "found a number with too many digits"),
        (b'{"a": "\xff"}', "found a byte at offset 7 that is not UTF-8 text"),
    ],
)
def test_points_at_the_mistake(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_names_every_key_that_stands_twice(tmp_path: Path) -> None:
    text = '{"b": [{"n": 1}, {"n": "a,{", "m": {}, "n": 2}],\n "b": {"\\u0078": 1, "x": 2}, "c": [[], {"c": 1}]}'
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert [(fault.key, fault.found[:32]) for fault in caught.value.faults] == [
        ("b[1].n", "the key a second time (line 1, c"),
        ("b", "the key a second time (line 2, c"),
        ("b.x", "the key a second time (line 2, c"),
    ]


def test_a_missing_file_leads_to_its_neighbours(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found no such file, expected a JSON file; write the path of an existing"):
        read_json(tmp_path / "config_train.json")
    (tmp_path / "config_trian.json").touch()
    (tmp_path / "other.json").touch()
    with pytest.raises(ConfigError, match=r"write config_trian.json \(did you mean this one\?\)"):
        read_json(tmp_path / "config_train.json")
    with pytest.raises(ConfigError, match=r"write one of config_trian.json, other.json"):
        read_json(tmp_path / "zzz")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_json(tmp_path)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, None),
        (-math.inf, None),
        (np.float64(0.5), 0.5),
        (True, True),
        (7, 7),
        (None, None),
        ((1, ("a", math.inf)), [1, ["a", None]]),
        ({1: Path("a/b"), "x": {"y": math.nan}}, {"1": "a/b", "x": {"y": None}}),
    ],
)
def test_data_as_json_has_it(value: Any, written: Any) -> None:
    found = as_json(value)
    assert json.loads(json.dumps(found, allow_nan=False)) == found == written


@given(DATA)
def test_what_is_json_already_stays(data: Any) -> None:
    assert as_json(data) == data
