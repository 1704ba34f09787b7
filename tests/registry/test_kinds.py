"""Values from JSON, from variables and from old archives become what constructors ask for, or say why not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalia.registry.kinds import KINDS, Mismatch, coerce, describe, shown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
ANNOTATIONS = [
    *KINDS,
    "int",
    "float",
    "bool",
    "str",
    "None",
    "Sequence[int]",
    "Sequence[str]",
    "tuple[int, float]",
    "Mapping[str, Any]",
    "int | None",
    "str | Sequence[str]",
    'Literal["a", 2, True]',
]


@pytest.mark.parametrize(
    ("value", "annotation", "typed"),
    [
        (3, "int", 3),
        (3.0, "int", 3),
        (" -7 ", "int", -7),
        (3, "float", 3.0),
        ("1e-4", "float", 1e-4),
        ("false", "bool", False),
        (" True ", "bool", True),
        (1, "bool", True),
        (0, "bool", False),
        (False, "bool", False),
        ("text", "str", "text"),
        (None, "None", None),
        (None, "int | None", None),
        (None, "Optional[int]", None),
        (5, "Optional[int]", 5),
        (5, "Union[str, int]", 5),
        (1, "float | int", 1),
        (1, "float | None", 1.0),
        ("1,2", "float | Sequence[float]", (1.0, 2.0)),
        ([1, 2], "str | Sequence[int]", (1, 2)),
        ("1,2", "str | Sequence[int]", "1,2"),
        ("32,64, 64", "Widths", (32, 64, 64)),
        ([32], "Widths", (32,)),
        (3, "Widths", (3,)),
        ("[32, 64]", "Widths", (32, 64)),
        ("image, label", "FieldNames", ("image", "label")),
        ("image", "FieldNames", ("image",)),
        (["image"], "FieldNames", ("image",)),
        ("image", "FieldName", "image"),
        ([96, 96, 96], "SizeVoxels", (96, 96, 96)),
        ([96, 96], "SizeVoxels", (96, 96)),
        ([-1, -1, -1], "DeclaredSize", (-1, -1, -1)),
        ([1, 1, 2.5], "SpacingMM", (1.0, 1.0, 2.5)),
        (2, "SpacingMM", (2.0,)),
        ("[1.0, 1.0, 1.0]", "SpacingMM", (1.0, 1.0, 1.0)),
        (" [96,96,96] ", "SizeVoxels", (96, 96, 96)),
        ("[]", "Sequence[str]", ()),
        ("[1, 2]", "tuple[int, int]", (1, 2)),
        ("0.25", "Probability", 0.25),
        (0, "NonNegative", 0.0),
        (0.1, "Positive", 0.1),
        (1, "Count", 1),
        (0, "Whole", 0),
        ("", "Sequence[str]", ()),
        ([[1, 2], [3, 4]], "Sequence[Sequence[int]]", ((1, 2), (3, 4))),
        ([1, "2.5"], "tuple[int, float]", (1, 2.5)),
        ("1,2", "tuple[int, int]", (1, 2)),
        ([1, 2, 3], "tuple[int, ...]", (1, 2, 3)),
        ([1, "a"], "list", (1, "a")),
        ({"a": 1}, "dict[str, int]", {"a": 1}),
        ({"a": 1}, "Mapping", {"a": 1}),
        ("softmax", 'Literal["softmax", "sigmoid"]', "softmax"),
        (2, "Literal[2, 3]", 2),
        (3, "Annotated[int, 'three']", 3),
        (3, "'int'", 3),
        (3, "typing.Optional[kinds.Count]", 3),
        (object, "Any", object),
        ("x", "torch.Tensor", "x"),
        ("x", "Tensor[int]", "x"),
        ("x", "Literal[Color.RED]", "x"),
        ("x", "not python (", "x"),
        ("x", "a()", "x"),
        ("x", "...", "x"),
    ],
)
def test_reads(value: object, annotation: str, typed: object) -> None:
    read = coerce(value, annotation)
    assert read == typed
    assert type(read) is type(typed)


@pytest.mark.parametrize(
    ("value", "annotation", "expected", "write"),
    [
        (True, "int", "a whole number", "1"),
        (3.5, "int", "a whole number", "1"),
        ("3.5", "int", "a whole number", "1"),
        (None, "int", "a whole number", "1"),
        (True, "float", "a number", "1.0"),
        ("many", "float", "a number", "1.0"),
        ("1_000", "float", "a number", "1.0"),
        (10**400, "float", "a number", "1.0"),
        ([1.0], "float", "a number", "1.0"),
        (2, "bool", "true or false", "true"),
        ("ture", "bool", "true or false", "true"),
        (7, "str", "text", '"7"'),
        (["a"], "str", "text", '"..."'),
        (1, "None", "null", "null"),
        ("x", "int | None", "a whole number or null", "1"),
        (3, "Literal['a', 'b']", '"a" or "b"', '"a"'),
        ("SoftMx", "Literal['sigmoid', 'softmax']", '"sigmoid" or "softmax"', '"softmax"'),
        (True, "Literal[1, 2]", "1 or 2", "1"),
        (5, "Literal['only']", '"only"', '"only"'),
        (5, "str | Literal['a']", 'text or "a"', '"5"'),
        ([], "Mapping[str, Any]", "an object", "{}"),
        ("a,b", "Sequence[int]", "a list of whole numbers", "[1]"),
        (5, "Sequence[int]", "a list of whole numbers", "[1]"),
        ([1, 2, 3], "tuple[int, float]", "a list of 2 entries (a whole number, a number)", "[1, 1.0]"),
        ("", "FieldNames", "names of fields", '["image", "label"]'),
        (["image", " "], "FieldNames", "names of fields", '["image", "label"]'),
        ("", "FieldName", "the name of a field", '"image"'),
        (1.5, "Probability", "a number from 0 to 1", "0.5"),
        ("nan", "Probability", "a number from 0 to 1", "0.5"),
        (0, "Positive", "a number above 0", "1.0"),
        ("inf", "Positive", "a number above 0", "1.0"),
        (-1, "NonNegative", "a number of 0 or more", "0.0"),
        (0, "Count", "a whole number of 1 or more", "1"),
        (-1, "Whole", "a whole number of 0 or more", "0"),
        ([96], "SizeVoxels", "2 or 3 whole numbers of 1 or more (voxels)", "[96, 96, 96]"),
        ([0, 1, 1], "SizeVoxels", "2 or 3 whole numbers of 1 or more (voxels)", "[96, 96, 96]"),
        ([0, 1], "DeclaredSize", "2 or 3 whole numbers of 1 or more, or -1 for a free axis", "[96, 96, 96]"),
        ([-2, 1], "DeclaredSize", "2 or 3 whole numbers of 1 or more, or -1 for a free axis", "[96, 96, 96]"),
        ([1, 1, 0], "SpacingMM", "1 to 3 numbers above 0 (mm)", "[1.0, 1.0, 1.0]"),
        ([], "Widths", "whole numbers of 1 or more", '"32,64,64,64"'),
        (0, "Widths", "whole numbers of 1 or more", '"32,64,64,64"'),
        (96, "SizeVoxels", "2 or 3 whole numbers of 1 or more (voxels)", "[96, 96, 96]"),
    ],
)
def test_refuses(value: object, annotation: str, expected: str, write: str) -> None:
    assert coerce(value, annotation) == Mismatch(expected, write)


def test_nan_is_a_number_where_any_number_will_do() -> None:
    read = coerce("nan", "float")
    assert isinstance(read, float)
    assert math.isnan(read)


@given(JSON, st.sampled_from(ANNOTATIONS))
def test_never_fails_and_what_was_read_reads_again(value: object, annotation: str) -> None:
    read = coerce(value, annotation)
    if not isinstance(read, Mismatch):
        assert coerce(read, annotation) == read


@given(st.sampled_from(ANNOTATIONS))
def test_what_is_proposed_is_right(annotation: str) -> None:
    proposal = json.loads(describe(annotation).write)
    assert not isinstance(coerce(proposal, annotation), Mismatch)


@given(
    st.booleans(),
    st.sampled_from(["int", "float", "Count", "Whole", "Probability", "Positive", "NonNegative", "Widths"]),
)
def test_true_is_never_a_number(value: bool, annotation: str) -> None:
    assert isinstance(coerce(value, annotation), Mismatch)


def test_values_are_shown_as_json_and_shortened() -> None:
    assert shown("ä") == '"ä"'
    assert shown((1, 2)) == "[1, 2]"
    assert len(shown(list(range(100)))) == 80
    assert shown(list(range(100))).endswith("...")
