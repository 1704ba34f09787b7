"""What a value in a config may be: the aliases that constructors are annotated with, and the way a value becomes one.

A constructor says ``probability: Probability = 0.5``; mypy sees ``float``, :func:`coerce` sees the rule as well.
JSON from old archives is read generously where nothing is lost (``"false"`` for false, ``"32,64"`` for a list,
``"1e-4"`` for a number) and strictly where it could hide a mistake (true is never a number).
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any, TypeAlias, get_args

from vesalia.runtime.nearness import nearest

__all__ = [
    "KINDS",
    "Count",
    "DeclaredSize",
    "FieldName",
    "FieldNames",
    "Mismatch",
    "NonNegative",
    "Positive",
    "Probability",
    "Rule",
    "SizeVoxels",
    "SpacingMM",
    "Whole",
    "Widths",
    "coerce",
    "describe",
    "shown",
]

_SHOWN_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a value cannot be taken: what was expected, and what to write instead."""

    expected: str
    write: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What an alias asks for beyond its plain type.

    Attributes:
        reads: The annotation that the value is read as before the rule is asked.
        expected: The rule in words.
        write: A value that keeps the rule, as JSON.
        holds: Whether a value that was read keeps the rule.
        takes_one: Whether a single number stands for a list of one.
    """

    reads: str
    expected: str
    write: str
    holds: Callable[[Any], bool]
    takes_one: bool = False


def _sized(values: Sequence[int], *, least: int) -> bool:
    return len(values) in {2, 3} and all(value >= least for value in values)


Probability: TypeAlias = Annotated[
    float, Rule("float", "a number from 0 to 1", "0.5", lambda number: 0.0 <= number <= 1.0)
]
"""A share or a probability, 0 to 1."""

Positive: TypeAlias = Annotated[
    float, Rule("float", "a number above 0", "1.0", lambda number: 0.0 < number < float("inf"))
]
"""A number above 0."""

NonNegative: TypeAlias = Annotated[
    float, Rule("float", "a number of 0 or more", "0.0", lambda number: 0.0 <= number < float("inf"))
]
"""A number of 0 or more."""

Count: TypeAlias = Annotated[int, Rule("int", "a whole number of 1 or more", "1", lambda number: number >= 1)]
"""How many, 1 or more."""

Whole: TypeAlias = Annotated[int, Rule("int", "a whole number of 0 or more", "0", lambda number: number >= 0)]
"""How many, 0 or more."""

FieldName: TypeAlias = Annotated[str, Rule("str", "the name of a field", '"image"', lambda name: bool(name.strip()))]
"""The name of one field of a sample, such as ``image``."""

FieldNames: TypeAlias = Annotated[
    str | Sequence[str],
    Rule(
        "Sequence[str]",
        "names of fields",
        '["image", "label"]',
        lambda names: bool(names) and all(name.strip() for name in names),
    ),
]
"""One field, a comma string, or a list; constructors get a tuple of names."""

SizeVoxels: TypeAlias = Annotated[
    Sequence[int],
    Rule("Sequence[int]", "2 or 3 whole numbers of 1 or more (voxels)", "[96, 96, 96]", partial(_sized, least=1)),
]
"""A size in voxels, one number per spatial axis."""

DeclaredSize: TypeAlias = Annotated[
    Sequence[int],
    Rule(
        "Sequence[int]",
        "2 or 3 whole numbers of 1 or more, or -1 for a free axis",
        "[96, 96, 96]",
        lambda sizes: _sized(sizes, least=-1) and 0 not in sizes,
    ),
]
"""A size in voxels where -1 leaves an axis free."""

SpacingMM: TypeAlias = Annotated[
    Sequence[float],
    Rule(
        "Sequence[float]",
        "1 to 3 numbers above 0 (mm)",
        "[1.0, 1.0, 1.0]",
        lambda spacing: len(spacing) in {1, 2, 3} and all(0.0 < step < float("inf") for step in spacing),
        takes_one=True,
    ),
]
"""Voxel spacing in mm, one number per spatial axis, or one for all."""

Widths: TypeAlias = Annotated[
    Sequence[int],
    Rule(
        "Sequence[int]",
        "whole numbers of 1 or more",
        '"32,64,64,64"',
        lambda widths: bool(widths) and all(width >= 1 for width in widths),
        takes_one=True,
    ),
]
"""Numbers of channels or blocks, one per level; v3 writes them as a comma string."""

KINDS: Mapping[str, Rule] = {
    name: get_args(kind)[1]
    for name, kind in {
        "Probability": Probability,
        "Positive": Positive,
        "NonNegative": NonNegative,
        "Count": Count,
        "Whole": Whole,
        "FieldName": FieldName,
        "FieldNames": FieldNames,
        "SizeVoxels": SizeVoxels,
        "DeclaredSize": DeclaredSize,
        "SpacingMM": SpacingMM,
        "Widths": Widths,
    }.items()
}
"""The rule behind each alias, by the alias's name."""


class _UnfitError(Exception):
    """A value does not fit; ``write`` is a better proposal than the kind's own, or empty."""

    def __init__(self, write: str = "") -> None:
        super().__init__(write)
        self.write = write


@dataclass(frozen=True, slots=True)
class _Kind:
    """An annotation made ready: its words in the singular and the plural, an example, and the reading function."""

    expected: str
    plural: str
    write: str
    read: Callable[[object], object]


def coerce(value: object, annotation: str) -> object:
    """Turn a JSON value into what a constructor's annotation asks for.

    Args:
        value: A value as JSON gives it, or as a variable holds it.
        annotation: The annotation's text, with names of :data:`KINDS` and of the standard library only.

    Returns:
        The typed value (tuples for sequences), or a :class:`Mismatch`.
    """
    kind = _kind(annotation)
    try:
        return kind.read(value)
    except _UnfitError as unfit:
        return Mismatch(kind.expected, unfit.write or kind.write)


def describe(annotation: str) -> Mismatch:
    """What an annotation asks for in words, and an example: for an argument that is missing."""
    kind = _kind(annotation)
    return Mismatch(kind.expected, kind.write)


def shown(value: object) -> str:
    """A value as it would stand in JSON, shortened where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 3] + "..."


def _read_int(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,300}\s*", value, re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _UnfitError


def _read_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _UnfitError
    if isinstance(value, str) and "_" in value:  # Python reads 1_000, JSON people do not mean it
        raise _UnfitError
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise _UnfitError from None


def _read_bool(value: object) -> bool:
    if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
        return value.strip().lower() == "true"
    if isinstance(value, bool) or (isinstance(value, int) and value in {0, 1}):
        return bool(value)
    raise _UnfitError


def _read_str(value: object) -> str:
    if isinstance(value, str):
        return value
    raise _UnfitError(json.dumps(str(value)) if isinstance(value, int | float) else "")


def _read_none(value: object) -> None:
    if value is not None:
        raise _UnfitError


def _read_mapping(value: object) -> object:
    if not isinstance(value, Mapping):
        raise _UnfitError
    return dict(value)


def _read_sequence(value: object, *, item: _Kind) -> tuple[object, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in _inside(value).split(",")] if _inside(value) else []
    if not isinstance(value, list | tuple):
        raise _UnfitError
    return tuple(item.read(member) for member in value)


def _inside(text: str) -> str:
    """A comma string without the brackets that may stand around it: ``--set SIZE=[96,96,96]``."""
    text = text.strip()
    return text[1:-1].strip() if text.startswith("[") and text.endswith("]") else text


def _read_row(value: object, *, items: tuple[_Kind, ...]) -> tuple[object, ...]:
    members = _inside(value).split(",") if isinstance(value, str) else value
    if not isinstance(members, list | tuple) or len(members) != len(items):
        raise _UnfitError
    return tuple(item.read(member) for item, member in zip(items, members, strict=True))


def _read_choice(value: object, *, choices: tuple[object, ...]) -> object:
    for choice in choices:
        if type(choice) is type(value) and choice == value:
            return choice
    names = [choice for choice in choices if isinstance(choice, str)]
    near = nearest(value, names) if isinstance(value, str) else None
    raise _UnfitError(json.dumps(near) if near else "")


def _read_union(value: object, *, members: tuple[_Kind, ...]) -> object:
    fits: list[object] = []
    write = ""
    for member in members:
        try:
            fits.append(member.read(value))
        except _UnfitError as unfit:
            write = write or unfit.write
    if not fits:
        raise _UnfitError(write)
    same = tuple if isinstance(value, list) else type(value)
    return next((fit for fit in fits if type(fit) is same), fits[0])


def _read_ruled(value: object, *, base: _Kind, rule: Rule) -> object:
    if rule.takes_one and isinstance(value, int | float) and not isinstance(value, bool):
        value = [value]
    read = base.read(value)
    if not rule.holds(read):
        raise _UnfitError
    return read


_ANYTHING = _Kind("any value", "values", "null", lambda value: value)
_PLAIN: Mapping[str, _Kind] = {
    "int": _Kind("a whole number", "whole numbers", "1", _read_int),
    "float": _Kind("a number", "numbers", "1.0", _read_float),
    "bool": _Kind("true or false", "true or false values", "true", _read_bool),
    "str": _Kind("text", "texts", '"..."', _read_str),
    "None": _Kind("null", "nulls", "null", _read_none),
    "Mapping": _Kind("an object", "objects", "{}", _read_mapping),
}
_MAPPINGS = frozenset({"Mapping", "dict", "Dict"})
_SEQUENCES = frozenset({"Sequence", "list", "List", "tuple", "Tuple", "Iterable", "Collection"})


@lru_cache(maxsize=512)
def _kind(annotation: str) -> _Kind:
    try:
        return _parse(ast.parse(annotation, mode="eval").body)
    except SyntaxError:
        return _ANYTHING


def _parse(node: ast.expr) -> _Kind:
    """The kind of an annotation; what is not known is anything, so that foreign annotations never block."""
    if isinstance(node, ast.Constant):
        return _kind(node.value) if isinstance(node.value, str) else _PLAIN.get(repr(node.value), _ANYTHING)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union(_parse(node.left), _parse(node.right))
    if isinstance(node, ast.Subscript):
        return _parse_subscript(_last_name(node.value), node.slice)
    return _named(_last_name(node))


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _named(name: str) -> _Kind:
    if name in KINDS:
        rule = KINDS[name]
        base = _kind(rule.reads)
        return _Kind(rule.expected, rule.expected, rule.write, partial(_read_ruled, base=base, rule=rule))
    if name in _MAPPINGS:
        return _PLAIN["Mapping"]
    return _sequence(_ANYTHING) if name in _SEQUENCES else _PLAIN.get(name, _ANYTHING)


def _parse_subscript(name: str, inside: ast.expr) -> _Kind:
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if name == "Literal":
        return _literal(parts)
    members = tuple(map(_parse, parts))
    if name in {"Optional", "Union"}:
        return _union(*members, *([_PLAIN["None"]] if name == "Optional" else []))
    if name in {"Annotated", "Final"}:
        return members[0]
    if name in {"tuple", "Tuple"} and not _is_ellipsis(parts[-1]):
        return _row(members)
    return _sequence(members[0]) if name in _SEQUENCES else _named(name if name in _MAPPINGS else "")


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _sequence(item: _Kind) -> _Kind:
    return _Kind(f"a list of {item.plural}", "lists", f"[{item.write}]", partial(_read_sequence, item=item))


def _row(items: tuple[_Kind, ...]) -> _Kind:
    expected = f"a list of {len(items)} entries ({', '.join(item.expected for item in items)})"
    write = f"[{', '.join(item.write for item in items)}]"
    return _Kind(expected, "lists", write, partial(_read_row, items=items))


def _literal(parts: list[ast.expr]) -> _Kind:
    if not all(isinstance(part, ast.Constant) for part in parts):
        return _ANYTHING
    choices = tuple(ast.literal_eval(part) for part in parts)
    words = [json.dumps(choice) for choice in choices]
    expected = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    return _Kind(expected, expected, words[0], partial(_read_choice, choices=choices))


def _union(*members: _Kind) -> _Kind:
    expected = " or ".join(member.expected for member in members)
    return _Kind(expected, expected, members[0].write, partial(_read_union, members=members))
