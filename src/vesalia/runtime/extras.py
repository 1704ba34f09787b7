"""The optional parts of Vesalia: which there are, which are missing, and the line that installs them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from vesalia.runtime.known_troubles import version_parts

__all__ = ["Requirement", "install_line", "missing_of", "required"]

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LEAST = re.compile(r">=\s*([0-9.]+)")
_EXTRA = re.compile(r"extra\s*==\s*['\"](\w+)['\"]")


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package that Vesalia uses.

    Attributes:
        package: Its name.
        least: The oldest version that will do; empty for any.
        extra: The optional part it belongs to; empty for what is always needed.
    """

    package: str
    least: str
    extra: str = ""


def required(read: Callable[[str], list[str] | None] = metadata.requires) -> list[Requirement]:
    """What the installed Vesalia asks for, in its own order; nothing where it is not installed."""
    try:
        lines = read("vesalia") or []
    except metadata.PackageNotFoundError:
        return []
    found = []
    for line in lines:
        asked, _, marker = line.partition(";")
        name, least, extra = _NAME.match(asked), _LEAST.search(asked), _EXTRA.search(marker)
        if name:
            found.append(Requirement(name[0], least[1] if least else "", extra[1] if extra else ""))
    return found


def missing_of(requirement: Requirement, version_of: Callable[[str], str] = metadata.version) -> str:
    """What is wrong with a requirement, in words; empty where it is met."""
    try:
        version = version_of(requirement.package)
    except metadata.PackageNotFoundError:
        return "not installed"
    if requirement.least and version_parts(version) < version_parts(requirement.least):
        return f"version {version}, older than {requirement.least}"
    return ""


def install_line(requirement: Requirement) -> str:
    """The line that installs it."""
    if requirement.extra:
        return f"pip install 'vesalia[{requirement.extra}]'"
    least = f">={requirement.least}" if requirement.least else ""
    return f"pip install --upgrade '{requirement.package}{least}'"
