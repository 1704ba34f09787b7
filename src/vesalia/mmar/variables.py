"""``{NAME}`` in a config: found alone it gives the variable with its type, found inside text it gives its text."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vesalia.errors import Fault
from vesalia.runtime.nearness import nearest

__all__ = ["Unresolved", "substitute", "text_of"]

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A ``{NAME}`` that nothing defines."""

    key: str
    name: str
    near: str | None

    def fault(self, file: str) -> Fault:
        """The fault, for the file that the variable stands in."""
        write = f"{{{self.near}}} (did you mean this?), or" if self.near else ""
        write = f"{write} add --set {self.name}=..., or a line {json.dumps(self.name)} in environment.json".strip()
        return Fault(file, self.key, f"the variable {{{self.name}}}, which is not set", "a variable that is", write)


def text_of(value: object) -> str:
    """A variable's value inside a longer text: as JSON writes it, text without quotes."""
    return value if isinstance(value, str) else json.dumps(value)


def substitute(node: Any, variables: Mapping[str, object], *, key: str = "") -> tuple[Any, list[Unresolved]]:
    """Put variables in place throughout JSON data.

    Args:
        node: JSON data.
        variables: Values by name.
        key: The key path of ``node``.

    Returns:
        New data, and every variable that is not known (its text stays as it was).
    """
    missing: list[Unresolved] = []
    return _walk(node, variables, key, missing), missing


def _walk(node: Any, variables: Mapping[str, object], key: str, missing: list[Unresolved]) -> Any:
    if isinstance(node, dict):
        return {
            name: _walk(child, variables, f"{key}.{name}" if key else name, missing) for name, child in node.items()
        }
    if isinstance(node, list):
        return [_walk(child, variables, f"{key}[{index}]", missing) for index, child in enumerate(node)]
    return _in_text(node, variables, key, missing) if isinstance(node, str) else node


def _in_text(text: str, variables: Mapping[str, object], key: str, missing: list[Unresolved]) -> object:
    alone = _VARIABLE.fullmatch(text)
    if alone and alone[1] in variables:
        return variables[alone[1]]

    def value_of(match: re.Match[str]) -> str:
        if match[1] in variables:
            return text_of(variables[match[1]])
        missing.append(Unresolved(key, match[1], nearest(match[1], variables)))
        return match[0]

    return _VARIABLE.sub(value_of, text)
