"""Misspelt words lead to known ones, and other words lead nowhere."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.runtime.nearness import nearest

KNOWN = ["epochs", "learning_rate", "LoadNifti"]


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("learning_rat", "learning_rate"),
        ("epoch", "epochs"),
        ("EPOCHS", "epochs"),
        ("loadnifty", "LoadNifti"),
        ("private", None),
        ("", None),
    ],
)
def test_nearest(word: str, near: str | None) -> None:
    assert nearest(word, KNOWN) == near
    assert nearest(word, iter(KNOWN)) == near
    assert nearest(word, []) is None


@given(st.text())
def test_what_is_given_is_known(word: str) -> None:
    assert nearest(word, KNOWN) in {*KNOWN, None}
