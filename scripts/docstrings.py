"""Reads Google docstrings, and writes them as Markdown."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Docstring", "markdown", "read"]

_SECTIONS = ("Args", "Attributes", "Raises", "Returns", "Example", "Examples", "Note", "Source")
_HEAD = re.compile(rf"^({'|'.join(_SECTIONS)}):$")
_ENTRY = re.compile(r"^(\*{0,2}\w[\w.]*)(?: \([^)]*\))?: (.*)$")
_ROLE = re.compile(r":\w+:`~?(?:[\w.]+\.)?(\w+)`")


@dataclass
class Docstring:
    """A docstring in parts.

    Attributes:
        summary: The first paragraph.
        body: The other paragraphs before the first section.
        sections: Section name to its lines, indentation taken off.
    """

    summary: str = ""
    body: str = ""
    sections: dict[str, list[str]] = field(default_factory=dict)

    def entries(self, section: str) -> dict[str, str]:
        """The ``name: text`` entries of a section, each on one line."""
        found: dict[str, str] = {}
        name = ""
        for line in self.sections.get(section, []):
            entry = _ENTRY.match(line)
            if entry:
                name = entry[1].lstrip("*")
                found[name] = entry[2]
            elif name and line.strip():
                found[name] += " " + line.strip()
        return {key: markdown(text) for key, text in found.items()}

    def text(self, section: str) -> str:
        """A section as running text."""
        return markdown("\n".join(self.sections.get(section, [])).strip())


def read(text: str) -> Docstring:
    """Take a cleaned docstring apart."""
    intro: list[str] = []
    sections: dict[str, list[str]] = {}
    current = intro
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head:
            current = sections.setdefault(head[1], [])
        elif current is not intro and line and not line.startswith(" "):
            current = intro
            intro += ["", line]
        else:
            current.append(line.removeprefix("    ") if current is not intro else line)
    paragraphs = "\n".join(intro).strip().split("\n\n", 1)
    summary = markdown(" ".join(paragraphs[0].split()))
    return Docstring(summary, markdown(paragraphs[1].strip()) if len(paragraphs) > 1 else "", sections)


def markdown(text: str) -> str:
    """The markup of a docstring as Markdown: roles and double backquotes become code, ``::`` blocks become fences."""
    text = _ROLE.sub(r"`\1`", text).replace("``", "`")
    return _literal_blocks(text)


def _literal_blocks(text: str) -> str:
    lines: list[str] = []
    block: list[str] | None = None
    for line in [*text.splitlines(), "\0"]:
        if block is not None and (not line or line.startswith("    ")):
            block.append(line.removeprefix("    "))
            continue
        if block is not None:
            lines += ["", "```text", *"\n".join(block).strip("\n").splitlines(), "```", ""]
            block = None
        if line.endswith("::"):
            block = []
        lines.append(line.removesuffix(":") if block is not None else line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines[:-1])).strip("\n")
