"""Texts that v4 evaluated as Python: those that only wire parts together are known, and no other is ever run."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vesalia.mmar.v4.draft import Draft
from vesalia.registry.kinds import shown

__all__ = ["is_code", "is_reference", "without_code"]

_ITEM = r"""{name}(\[\d+\])?\[("\w+"|'\w+'|(Common)?Keys\.\w+)\]"""
_NAMES = r"""(\w+|\[?\s*("\w+"|'\w+'|(Common)?Keys\.\w+)(\s*,\s*("\w+"|'\w+'|(Common)?Keys\.\w+))*\s*\]?)"""
_LAMBDA = re.compile(r"#?\s*lambda\s+(?P<name>\w+)\s*:\s*(?P<body>.*)", re.DOTALL)
_WIRING = re.compile(
    rf"#\s*(@\w+\.parameters\(\)|(\w+\.)*from_engine\(\s*(keys\s*=\s*)?{_NAMES}\s*(,\s*first\s*=\s*(True|False))?\s*\)"
    r"|torch\.device\([^()]*\)|@\w+)"
)
_GONE = object()


def is_reference(value: object) -> bool:
    """Whether a text names another part of the config (``@optimizer``)."""
    return isinstance(value, str) and re.fullmatch(r"@\w+(::\w+)*", value.strip()) is not None


def is_code(value: object) -> bool:
    """Whether v4 evaluated a text: an expression after ``#``, or a lambda."""
    return isinstance(value, str) and re.match(r"\s*(#.|lambda\b)", value) is not None


def _is_wiring(text: str) -> bool:
    """Whether code does no more than what is done here anyway: take prediction and label, hand over parameters."""
    if _WIRING.fullmatch(text.strip()):
        return True
    found = _LAMBDA.fullmatch(text.strip())
    if found is None:
        return False
    item = _ITEM.format(name=re.escape(found["name"]))
    body = found["body"].strip()
    return re.fullmatch(rf"None|{item}|[\[(]\s*{item}(\s*,\s*{item})*\s*,?\s*[\])]", body) is not None


def without_code(data: Mapping[str, Any], key: str, *, draft: Draft) -> dict[str, Any]:
    """An object without the texts that wire parts together; a text that says more is reported by its key path.

    Args:
        data: JSON data.
        key: Its key path.
        draft: Where faults go.
    """
    return {name: value for name, value in _walked(data, key, draft).items() if value is not _GONE}


def _walked(data: Mapping[str, Any], key: str, draft: Draft) -> dict[str, Any]:
    return {name: _without(value, f"{key}.{name}", draft) for name, value in data.items()}


def _without(value: Any, key: str, draft: Draft) -> Any:
    if isinstance(value, Mapping):
        kept = {name: each for name, each in _walked(value, key, draft).items() if each is not _GONE}
        return kept if kept or not value else _GONE
    if isinstance(value, list):
        members = [_without(member, f"{key}[{index}]", draft) for index, member in enumerate(value)]
        kept_members = [member for member in members if member is not _GONE]
        return kept_members if kept_members or not value else _GONE
    if is_reference(value):
        return _GONE
    if not is_code(value):
        return value
    if not _is_wiring(value):
        what = "a lambda" if "lambda" in value else "an expression"
        draft.fault(
            key,
            found=f"{shown(value)}, {what} that v4 evaluated",
            expected="a plain value (no text of an archive is ever run)",
            write="the value that it gives, a MONAI component that does the same, or a class of yours in custom/",
        )
    return _GONE
