"""``--set k=v k=v``: text from the command line, typed as v3 types it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vesalia.errors import ConfigError, Fault
from vesalia.registry.kinds import shown

__all__ = ["Overrides", "Scalar", "as_texts", "parse_set", "typed"]

Scalar = str | int | float | bool
Overrides = Mapping[str, object] | Sequence[str]
"""What ``--set`` sets: values by name, or ``NAME=value`` texts."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INT = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][+-]?[0-9]{1,3})?")
_WORDS: dict[str, bool] = {"true": True, "True": True, "false": False, "False": False}


def typed(text: str) -> Scalar:
    """A value from the command line: true or false, a whole number, a number, or else the text as it is.

    Numbers with leading zeros stay text (``007`` names something), and so do ``nan`` and ``inf``.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    value = float(text) if _FLOAT.fullmatch(text) else text
    return text if value in {float("inf"), float("-inf")} else value


def parse_set(pairs: Sequence[str]) -> dict[str, Scalar]:
    """Read the arguments of ``--set``; of a name given twice the last counts.

    Raises:
        ConfigError: Some are not ``NAME=value``; all such are named.
    """
    values: dict[str, Scalar] = {}
    faults: list[Fault] = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if equals and _NAME.fullmatch(name):
            values[name] = typed(text)
        else:
            faults.append(_fault(pair, name, has_equals=bool(equals)))
    if faults:
        raise ConfigError(faults=faults)
    return values


def _fault(pair: str, name: str, *, has_equals: bool) -> Fault:
    if has_equals and "." in name:
        write = f"{name.rpartition('.')[2]}=... if it is a top-level key; what lies deeper belongs in the config file"
        return Fault("--set", name, "a path into the config", "the name of a top-level key or a variable", write)
    write = "NAME=value without spaces around =" if has_equals or not name else f"{name}=value"
    return Fault("--set", "", shown(pair), "NAME=value", write)


def as_texts(overrides: Overrides) -> list[str]:
    """Overrides as ``key=value`` texts."""
    if isinstance(overrides, Mapping):
        return [f"{key}={_as_text(value)}" for key, value in overrides.items()]
    return list(overrides)


def _as_text(value: object) -> str:
    if value is None:
        return ""  # not set, as in an environment
    return str(value).lower() if isinstance(value, bool) else str(value)
