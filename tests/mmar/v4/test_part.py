"""One component object: name or path, arguments, switched off or not, and references to others."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from vesalia.mmar.v4.draft import Draft
from vesalia.mmar.v4.part import read_part, read_parts


def test_a_part_is_read() -> None:
    draft = Draft("c")
    part = read_part({"name": "A#B", "args": {"x": 1, "y": "@z"}}, "k", draft=draft)
    assert part is not None
    assert (part.name, part.handle, part.path, part.args) == ("A", "B", "", {"x": 1})
    assert (part.said, part.at("x"), part.is_custom) == ("k A", "k.args.x", False)
    assert draft.faults == []


@pytest.mark.parametrize(
    ("node", "name", "is_custom"),
    [
        ({"path": "monai.losses.DiceLoss"}, "DiceLoss", False),
        ({"name": "monai.losses.DiceLoss"}, "DiceLoss", False),
        ({"path": "mine.Net"}, "Net", True),
        ({"name": "Net", "path": "mine.Net"}, "Net", True),
    ],
)
def test_a_path_says_whose_class_it_is(node: dict[str, Any], name: str, is_custom: bool) -> None:
    part = read_part(node, "k", draft=Draft("c"))
    assert part is not None
    assert (part.name, part.is_custom) == (name, is_custom)


@pytest.mark.parametrize(
    ("node", "key"),
    [
        ("DiceLoss", "k"),
        ({"args": {}}, "k.name"),
        ({"name": 3}, "k.name"),
        ({"name": "A", "path": 3}, "k.name"),
        ({"name": " "}, "k.name"),
        ({"name": "A", "args": [1]}, "k.args"),
        ({"name": "A", "disabled": "perhaps"}, "k.disabled"),
    ],
)
def test_what_is_no_part_is_told(node: Any, key: str) -> None:
    draft = Draft("c")
    read_part(node, "k", draft=draft)
    assert [fault.key for fault in draft.faults] == [key]


def test_a_part_that_is_off_or_missing_is_none() -> None:
    draft = Draft("c")
    assert read_part({"name": "A#B", "disabled": "true"}, "k", draft=draft) is None
    assert read_part(None, "k", draft=draft) is None
    assert draft.off == {"A", "B"}


def test_a_reference_is_the_other_in_its_own_place() -> None:
    draft = Draft("c")
    first = read_parts([{"name": "A#X", "args": {"v": 1}}, {"name": "Off", "disabled": True}], "t", draft=draft)
    nodes = [{"ref": "X"}, {"ref": "Off"}, {"ref": "X", "disabled": True}]
    found = read_parts(nodes, "v", draft=draft, others=first)
    assert [(part.name, part.where, part.args) for part in found] == [("A", "v[0]", {"v": 1})]
    assert draft.faults == []


def test_a_reference_to_nothing_is_told() -> None:
    draft = Draft("c")
    assert read_parts([{"ref": "LoadImag"}], "v", draft=draft) == []
    assert read_parts({"name": "A"}, "w", draft=draft) == []
    assert read_parts(None, "w", draft=draft) == []
    assert [fault.key for fault in draft.faults] == ["v[0].ref", "w"]
