"""JSON that people edit: what fits on a line stays on one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["readable_json"]

_WIDTH = 110
_INDENT = "  "


def readable_json(data: Any) -> str:
    """``data`` as JSON text, lists and objects on one line each where they fit and hold no further objects."""
    return _text(data, indent="", room=_WIDTH) + "\n"


def _text(data: Any, *, indent: str, room: int) -> str:
    line = json.dumps(data, ensure_ascii=False)
    if not isinstance(data, dict | list) or not data or (len(line) <= room and _is_flat(data)):
        return line
    deeper = indent + _INDENT
    if isinstance(data, dict):
        keys = [json.dumps(key, ensure_ascii=False) for key in data]
        rows = [
            f"{key}: {_text(value, indent=deeper, room=_WIDTH - len(deeper) - len(key) - 2)}"
            for key, value in zip(keys, data.values(), strict=True)
        ]
    else:
        rows = [_text(value, indent=deeper, room=_WIDTH - len(deeper)) for value in data]
    start, end = ("{", "}") if isinstance(data, dict) else ("[", "]")
    return f"{start}\n" + ",\n".join(deeper + row for row in rows) + f"\n{indent}{end}"


def _is_flat(data: Mapping[str, Any] | list[Any]) -> bool:
    """Whether no more than one further level lies inside, as in ``{"name": ..., "args": {...}}``."""
    inside = data.values() if isinstance(data, Mapping) else data
    nested = [value for value in inside if isinstance(value, dict)]
    if isinstance(data, list):
        return not nested
    return not any(isinstance(value, dict) for part in nested for value in part.values())
