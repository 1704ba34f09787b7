"""The shell of a report: one HTML file with its own style and script, nothing fetched from elsewhere.

Functions that take ``text`` escape it; functions that take ``html`` or ``parts`` expect markup that is safe already.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Cell", "details", "facts", "page", "picture", "section", "table", "tiles"]

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

_STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #171b22; --soft: #5b6675; --line: #dfe3e9;
  --accent: #0f6cbd; --bar: #0f6cbd26; --mark: #0f6cbd66;
  --bad: #b3261e; --s0: #0f6cbd; --s1: #c2410c; --s2: #15803d; --s3: #7c3aed;
  --s4: #b45309; --s5: #be185d; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1216; --card: #181c22; --ink: #e7ebf0; --soft: #98a3b3;
  --line: #2b323c; --accent: #6cb2f5; --bar: #6cb2f52e; --mark: #6cb2f580;
  --bad: #ff8a80; --s0: #6cb2f5; --s1: #fb923c; --s2: #4ade80;
  --s3: #c4a6ff; --s4: #fbbf24; --s5: #f9a8d4; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
header p { margin: 0; color: var(--soft); }
h1 { margin: 0 0 4px; font-size: 28px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { margin: 0 0 12px; font-size: 18px; }
section, details { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px;
  margin-top: 20px; }
section > p { margin: 0 0 12px; color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 20px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; }
.tile b { display: block; font-size: 26px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.tile:first-child b { color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 600; font-size: 13px; }
tbody tr:last-child td { border-bottom: 0; }
tr.part td:first-child { padding-left: 28px; color: var(--soft); }
td.bar { background: linear-gradient(var(--mark) 0 0) no-repeat;
  background-size: calc(var(--v) * 80px) 3px; background-position: right calc(12px + (1 - var(--v)) * 80px) bottom 0; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--accent); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
svg { width: 100%; height: auto; } .wide svg { max-width: 760px; display: block; }
svg text { fill: var(--soft); font: 12px system-ui, "Segoe UI", Roboto, sans-serif; }
svg .chart-title { fill: var(--ink); font-weight: 600; font-size: 13px; } svg .label { fill: var(--ink); }
.grid { stroke: var(--line); } .median { stroke: var(--ink); stroke-width: 2.5; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
figure { margin: 0 0 20px; } figure:last-child { margin-bottom: 0; }
figure img { width: 100%; max-width: 916px; border-radius: 8px; display: block; }
.thumbs { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 20px; }
.thumbs figure { margin: 0; }
figcaption { display: flex; gap: 6px 16px; align-items: baseline; flex-wrap: wrap; margin-bottom: 6px; }
figcaption b { font-weight: 600; overflow-wrap: anywhere; }
figcaption .tag { font-size: 12px; font-weight: 600; padding: 1px 10px; border-radius: 99px; background: var(--bar); }
.key i { display: inline-block; width: 18px; height: 4px; border-radius: 2px; margin: 0 6px 3px 0; }
.key span { margin-right: 18px; white-space: nowrap; }
ul.bad { color: var(--bad); margin: 0; padding-left: 20px; overflow-wrap: anywhere; }
summary { cursor: pointer; font-weight: 600; }
pre { overflow: auto; max-height: 480px; font: 12.5px/1.45 ui-monospace, Consolas, monospace; margin: 12px 0 0; }
footer { color: var(--soft); font-size: 13px; margin-top: 28px; }
@media print { details, section, .tile { break-inside: avoid; } }
"""
_SERIES_STYLE = "".join(
    f".line-{i} {{ stroke: var(--s{i}); }} .fill-{i} {{ fill: var(--s{i}); }} "
    f".dot-{i} {{ fill: var(--s{i}); opacity: .75; }} .box-{i} {{ fill: var(--s{i}); opacity: .18; }} "
    f".ring-{i} {{ fill: var(--card); stroke: var(--s{i}); stroke-width: 2.5; }}\n"
    for i in range(6)
)

_SCRIPT = """
for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("th").forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending", body = table.tBodies[0];
    table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
    const compare = (a, b) => column ? a - b : a.localeCompare(b, undefined, { numeric: true });
    const order = (a, b) => a === "" ? 1 : b === "" ? -1 : (up ? 1 : -1) * compare(a, b);
    body.append(...[...body.rows].sort((a, b) => order(key(a), key(b))));
  }));
}
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell that sorts by its number.

    Attributes:
        text: What is shown.
        value: The number; None sorts last.
        bar: Whether a bar shows it, for numbers from 0 to 1.
    """

    text: str
    value: float | None = None
    bar: bool = False

    def html(self) -> str:
        """The cell as markup."""
        known = self.value is not None
        style = f' class="bar" style="--v:{self.value:.4f}"' if self.bar and known else ""
        return (
            f'<td data-v="{self.value!r}"{style}>{escape(self.text)}</td>'
            if known
            else f'<td data-v="">{escape(self.text)}</td>'
        )


def page(title: str, *parts: str) -> str:
    """A whole HTML document."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}{_SERIES_STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + f"\n</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def section(title: str, *parts: str) -> str:
    """A card with a heading; nothing where there are no parts."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def tiles(numbers: Mapping[str, str]) -> str:
    """Large numbers side by side: what each is, and its value."""
    made = (
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>' for name, value in numbers.items()
    )
    return f'<div class="tiles">{"".join(made)}</div>'


def facts(entries: Mapping[str, str]) -> str:
    """Names and values in two columns; empty values are left out."""
    made = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in entries.items() if value)
    return f"<dl>{''.join(made)}</dl>"


def table(
    head: Sequence[str], rows: Sequence[Sequence[str | Cell]], *, sortable: bool = False, indent: Sequence[int] = ()
) -> str:
    """A table, scrolling sideways where it is too wide.

    Args:
        head: Column names.
        rows: Cells; the first of each row is its name.
        sortable: Whether a click on a column name sorts.
        indent: Rows that are parts of the row above.
    """
    names = "".join(f"<th><button>{escape(h)}</button></th>" if sortable else f"<th>{escape(h)}</th>" for h in head)
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(cell.html() if isinstance(cell, Cell) else f"<td>{escape(cell)}</td>" for cell in row)
        lines.append(f'<tr class="part">{cells}</tr>' if index in indent else f"<tr>{cells}</tr>")
    kind = ' class="sortable"' if sortable else ""
    return (
        f'<div class="scroll"><table{kind}><thead><tr>{names}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
    )


def picture(png: bytes, *, description: str) -> str:
    """A PNG inside the page."""
    data = base64.b64encode(png).decode("ascii")
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{data}">'


def details(title: str, text: str) -> str:
    """Text to be unfolded."""
    return f"<details>\n<summary>{escape(title)}</summary>\n<pre>{escape(text)}</pre>\n</details>"
