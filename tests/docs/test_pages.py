"""The pages hang together: links lead somewhere, headings are there, nothing names what must not be named."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from .pages import ROOT, anchors, links, pages

PAGES = {str(page.relative_to(ROOT)): page for page in pages()}
ROOT_PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"]
PARTS = ["tutorials", "how-to", "reference", "explanation"]


@pytest.mark.parametrize("name", ROOT_PAGES)
def test_the_root_has_the_page(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("part", PARTS)
def test_the_documentation_has_its_four_parts(part: str) -> None:
    assert list((ROOT / "docs" / part).rglob("*.md"))


def broken_links(page: Path) -> list[str]:
    """Links of a page that lead nowhere; addresses outside the repository are not asked."""
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    assert broken_links(PAGES[name]) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Head\n[a](nowhere.md) [b](#head) [c](#tail) `[d](no.md)`\n", encoding="utf-8")
    assert broken_links(page) == ["nowhere.md", "#tail"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_begins_with_its_title(name: str) -> None:
    assert PAGES[name].read_text(encoding="utf-8").startswith("# ")


def test_every_page_of_the_documentation_can_be_reached() -> None:
    start = ROOT / "README.md"
    seen, waiting = set[Path](), [start]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link]
    lost = [str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in seen]
    assert lost == []
