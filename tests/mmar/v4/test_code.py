"""Evaluated code: what only wires parts together is known, everything else is refused by its key path."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.mmar.v4.code import is_code, is_reference, without_code
from vesalia.mmar.v4.draft import Draft

WIRING = [
    "lambda x: x['loss']",
    'lambda x: (x["pred"], x["label"])',
    "lambda data: [data['pred'], data['label'],]",
    "lambda x: x[0]['loss']",
    "lambda x: (x[Keys.PRED], x[CommonKeys.LABEL])",
    "lambda x: None",
    "#@model.parameters()",
    "#monai.handlers.from_engine(['pred', 'label'])",
    "#from_engine(['loss'], first=True)",
    "#from_engine('loss', first = True)",
    "#from_engine(keys=['pred'])",
    "#torch.device('cuda')",
    "#@optimizer",
]
CODE = [
    "lambda x: x > 0",
    "lambda x: x['pred'].argmax(1)",
    "lambda x: (y['pred'], y['label'])",
    "lambda x: __import__('os').system('x')",
    "lambda x: x[__import__('os')]",
    "#1 + 1",
    "#@model.parameters() or @x",
    "#from_engine(['a'] + f())",
    "#torch.device(f())",
    "# lambda x: x + 1",
    "lambda: 0",
]


@pytest.mark.parametrize("text", WIRING)
def test_wiring_goes_without_a_word(text: str) -> None:
    draft = Draft("c")
    assert without_code({"a": text, "b": 1}, "k", draft=draft) == {"b": 1}
    assert draft.faults == []


@pytest.mark.parametrize("text", CODE)
def test_other_code_is_refused_by_name(text: str) -> None:
    draft = Draft("c")
    without_code({"a": {"b": [0, text]}}, "k.args", draft=draft)
    assert [fault.key for fault in draft.faults] == ["k.args.a.b[1]"]
    assert "that v4 evaluated" in draft.faults[0].found
    assert ("a lambda" in draft.faults[0].found) == ("lambda" in text)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("@model", {}),
        ({"model": "@model"}, {}),
        (["@a", "@b"], {}),
        (["@a", 1], {"a": [1]}),
        ({"x": "@a", "y": 2}, {"a": {"y": 2}}),
        ({}, {"a": {}}),
        ([], {"a": []}),
        ("a@b", {"a": "a@b"}),
        ("image#1", {"a": "image#1"}),
    ],
)
def test_references_are_implicit_here(value: Any, left: dict[str, Any]) -> None:
    assert without_code({"a": value}, "k", draft=Draft("c")) == left


def test_what_is_no_text_is_neither() -> None:
    assert not is_code(3)
    assert not is_reference(3)
    assert not is_code("#")
    assert not is_code("lambdas")


TEXTS = st.sampled_from([*WIRING, *CODE, "@model", "image#1", ""]) | st.text("#@lambdx:[]'() ", max_size=20)
JSON = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]


@given(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3))
def test_no_code_is_left_and_no_value_is_lost(data: dict[str, Any]) -> None:
    draft = Draft("c")
    before, after = leaves(data), leaves(without_code(data, "k", draft=draft))
    assert after == [leaf for leaf in before if not is_code(leaf) and not is_reference(leaf)]
    known = [leaf for leaf in before if leaf in WIRING or is_reference(leaf)]
    refused = [leaf for leaf in before if is_code(leaf) and leaf not in WIRING]
    assert len(draft.faults) <= len(refused)
    assert len(draft.faults) >= len([leaf for leaf in before if leaf in CODE])
    assert len(known) + len(refused) + len(after) == len(before)
