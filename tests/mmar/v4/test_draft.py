"""A translation in the making: typed values, notes, unknown names."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.mmar.v4.draft import Draft


def test_values_are_typed_and_faults_have_the_users_key_path() -> None:
    draft = Draft("c")
    assert draft.value({"a": "3"}, "a", kind="int", key="k") == 3
    assert draft.value({}, "a", kind="int", key="k", default=7) == 7
    assert draft.value({"a": "x"}, "a", kind="int", key="k", default=7) == 7
    assert [str(fault) for fault in draft.faults] == ['c: k.a: found "x", expected a whole number; write 1']


def test_unknown_names_get_the_nearest() -> None:
    draft = Draft("c")
    draft.unknown("k", "DiceLos", known=["DiceLoss"], what="a loss")
    draft.unknown("k", "Q", known=["DiceLoss"], what="a loss")
    assert [fault.write for fault in draft.faults] == [
        '"DiceLoss" (did you mean this?)',
        'another, or "disabled": true beside it',
    ]


def test_notes_say_what_became_what() -> None:
    draft = Draft("c")
    draft.note("k A", "B")
    assert draft.notes == ["k A -> B"]
