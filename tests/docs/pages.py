"""The Markdown pages of the repository, read as headings, links and fenced blocks."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "anchors", "blocks", "links", "pages"]

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: The word after the fence.
        attributes: ``name="value"`` pairs after the language, such as ``file="my_loss.py"``.
        text: What stands between the fences.
        line: Line of the opening fence, from 1.
    """

    language: str
    attributes: dict[str, str]
    text: str
    line: int


def pages() -> list[Path]:
    """Every page a person reads: the root's and those under docs, examples and benchmarks."""
    below = [path for name in ("docs", "examples", "benchmarks") for path in (ROOT / name).rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *below])


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            language=found["language"],
            attributes=dict(_ATTRIBUTE.findall(found["rest"])),
            text=found["text"],
            line=text.count("\n", 0, found.start()) + 1,
        )
        for found in _FENCE.finditer(text)
    ]


def links(page: Path) -> list[str]:
    """Targets of the links and pictures of a page, those inside fenced blocks left out."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    text = re.sub(r"`[^`\n]*`", "", text)
    return [plain or picture for plain, picture in _LINK.findall(text)]


def anchors(page: Path) -> set[str]:
    """The anchors a page's headings make."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}
