"""JSON as files must hold it: read strictly, with messages that say what to write; written without NaN."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from vesalia.errors import ConfigError, Fault
from vesalia.runtime.nearness import nearest

__all__ = ["as_json", "read_json"]

_WORDS = {"true": "true", "false": "false", "null": "null", "none": "null", "yes": "true", "no": "false"}
_STRING_OR_BRACKET = re.compile(r'(?P<string>"(?:[^"\\]|\\.)*")(?P<colon>\s*:)?|[\[\]{},]')


def read_json(path: Path, name: str | None = None) -> Any:
    """The content of a JSON file.

    Stricter than Python's reader: no NaN or infinity, no key twice in one object. A byte-order mark is tolerated.

    Args:
        path: The file.
        name: The file as the user knows it; the path itself by default.

    Raises:
        ConfigError: The file is missing, unreadable, or not JSON.
    """
    file = name or str(path)
    text = _text(path, file)
    repeated: list[str] = []
    try:
        data = json.loads(
            text,
            object_pairs_hook=lambda pairs: _unique(pairs, repeated),
            parse_constant=_refuse,
            parse_float=_finite,
        )
    except JSONDecodeError as error:
        raise ConfigError(faults=[_syntax_fault(file, text, error)]) from None
    except RecursionError:
        raise ConfigError(faults=[Fault(file, "", "lists or objects nested too deep", "a plain config")]) from None
    except ValueError as error:
        raise ConfigError(faults=[_number_fault(file, text, str(error))]) from None
    if repeated:
        raise ConfigError(faults=list(_repeated_faults(file, text)))
    return data


def as_json(value: Any) -> Any:
    """``value`` as JSON has it: null where a number is none, lists for tuples, text for paths and the like."""
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if isinstance(value, str | int | None) else str(value)


def _text(path: Path, file: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(faults=[Fault(file, "", "no such file", "a JSON file", _neighbours(path))]) from None
    except UnicodeDecodeError as error:
        found = f"a byte at offset {error.start} that is not UTF-8 text"
        raise ConfigError(faults=[Fault(file, "", found, "a JSON file", "the file anew, saved as UTF-8")]) from None
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
        raise ConfigError(faults=[Fault(file, "", found, "a JSON file")]) from None


def _neighbours(path: Path) -> str:
    there = sorted(file.name for file in path.parent.glob("*.json"))
    near = nearest(path.name, there)
    if near:
        return f"{near} (did you mean this one?)"
    return f"one of {', '.join(there[:8])}" if there else "the path of an existing file"


def _unique(pairs: list[tuple[str, Any]], repeated: list[str]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        repeated.append("")
    return data


def _refuse(number: str) -> float:
    raise ValueError(number)


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(number)
    return value


def _position(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    column = offset - text.rfind("\n", 0, offset)
    return f"line {line}, column {column}"


def _number_fault(file: str, text: str, number: str) -> Fault:
    if number not in text:  # thousands of digits: Python names a limit instead of the number
        return Fault(file, "", "a number with too many digits", "a number", "a shorter one")
    where = _position(text, text.find(number))
    return Fault(file, where, number, "a finite number (JSON has no NaN and no infinity)", "a number, or null")


def _syntax_fault(file: str, text: str, error: JSONDecodeError) -> Fault:
    if not text.strip():
        return Fault(file, "", "an empty file", "a JSON object", "{ ... }")
    match = re.match(r"[^\s,\]}:{\[]+|\S?", text[error.pos :])
    word = match.group() if match else ""
    before = text[: error.pos].rstrip()
    found, expected, write = _by_word(word, before, error.msg) or _by_message(word, error.msg)
    return Fault(file, f"line {error.lineno}, column {error.colno}", found, expected, write)


def _by_word(word: str, before: str, message: str) -> tuple[str, str, str] | None:
    """Found, expected and what to write, for mistakes that show in the text where the reader stopped."""
    if "trailing comma" in message or (before.endswith(",") and word in {"}", "]"}):
        return "a comma before a closing bracket", "no comma there", "the bracket alone"
    if word.startswith(("//", "/*", "#")):
        return f"a comment ({word})", "plain JSON, which has no comments", "the file without it"
    if word.startswith("'"):
        return word, "text in double quotes", f'"{word.strip(chr(39))}"'
    return None


def _by_message(word: str, message: str) -> tuple[str, str, str]:
    """Found, expected and what to write, for mistakes that the reader itself names."""
    found = word or "the end of the file"
    table = {
        "Invalid control": ("text without a closing quote", "it on the same line", 'a " at the end of the text'),
        "Unterminated string": ("text without a closing quote", "it on the same line", 'a " at the end of the text'),
        "Invalid \\": ("a backslash that starts nothing", "two of them", "\\\\, or / in a path"),
        "Extra data": (f"{found} after the end of the data", "one JSON value", "the file without it"),
        "Expecting ','": (found, "a comma before it", f", {word}"),
        "Expecting ':'": (found, "a colon before it", f": {word}"),
        "Expecting property": (found, "a key in double quotes", f'"{word}"' if word.isidentifier() else '"key": value'),
    }
    fitting = (diagnosis for start, diagnosis in table.items() if message.startswith(start))
    return next(fitting, (found, "a JSON value", _value_for(word)))


def _value_for(word: str) -> str:
    """The value that a word which is no JSON probably stands for."""
    near = nearest(word, _WORDS)
    if near:
        return _WORDS[near]
    if re.fullmatch(r"[+.]\d[\d.eE+-]*", word):
        return f"0{word}" if word.startswith(".") else word[1:]
    return f'"{word}" if it is text' if word.isidentifier() else "a value"


@dataclass(slots=True)
class _Level:
    """An open bracket while looking for keys that stand twice."""

    path: str
    is_list: bool
    index: int = 0
    key: str = ""
    seen: set[str] = field(default_factory=set)

    def inner(self) -> str:
        """The key path of the value that is being read."""
        if self.is_list:
            return f"{self.path}[{self.index}]"
        return f"{self.path}.{self.key}" if self.path else self.key


def _repeated_faults(file: str, text: str) -> Iterator[Fault]:
    """A fault per key that stands twice in one object of a text that is otherwise sound."""
    levels: list[_Level] = []
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = match.group()
        if mark in "{[":
            levels.append(_Level(levels[-1].inner() if levels else "", is_list=mark == "["))
        elif mark in "}]":
            levels.pop()
        elif mark == ",":
            levels[-1].index += 1
        elif match["colon"]:
            level = levels[-1]
            level.key = json.loads(match["string"])
            if level.key in level.seen:
                where = _position(text, match.start())
                yield Fault(
                    file, level.inner(), f"the key a second time ({where})", "each key once", "only one of them"
                )
            level.seen.add(level.key)
