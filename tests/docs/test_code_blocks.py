"""Every block of code in the documentation runs, or says why it does not.

A page's blocks run in order, in one empty folder and one namespace:

- ``python`` runs; with ``file="name.py"`` it is written to that file instead.
- ``console`` runs the lines that begin with ``$``; with ``not-run="reason"`` it does not, and the reason must say why.
- ``json`` must be JSON; with ``file="name.json"`` it is written to that file too.
- ``text`` is text, such as a tree of files; with ``printed="yes"`` the commands before it must have printed it.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT, Block, blocks, pages

LANGUAGES = {"python", "console", "json", "text"}
REASON_LENGTH = 10
PAGES = {str(page.relative_to(ROOT)): page for page in pages() if blocks(page)}


def run_python(block: Block, folder: Path, names: dict[str, object]) -> None:
    if "file" in block.attributes:
        path = folder / block.attributes["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        return
    # The blank lines make a traceback show the page's own line numbers.
    code = compile("\n" * block.line + block.text, "<page>", "exec")
    exec(code, names)  # noqa: S102 - our own pages, that is the test


def run_console(block: Block, folder: Path) -> str:
    """Run the commands of a block; what they printed."""
    printed = ""
    scripts = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    for line in block.text.replace("\\\n", " ").splitlines():
        if not line.startswith("$ "):
            continue
        done = subprocess.run(
            shlex.split(line[2:]), cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        expected = int(block.attributes.get("exit", "0"))
        assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
        printed += done.stdout + done.stderr
    return printed


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_blocks_of_a_page_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    names: dict[str, object] = {"__name__": "page"}
    printed = ""
    for block in blocks(PAGES[name]):
        if "not-run" in block.attributes:
            continue
        if block.language == "python":
            run_python(block, tmp_path, names)
        elif block.language == "console":
            printed = run_console(block, tmp_path)
        elif "printed" in block.attributes:
            assert block.text.strip() in printed
        elif block.language == "json":
            json.loads(block.text)
            if "file" in block.attributes:
                (tmp_path / block.attributes["file"]).write_text(block.text, encoding="utf-8")
    for module in set(sys.modules) - before:
        file = getattr(sys.modules[module], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[module]


@pytest.mark.parametrize("name", PAGES)
def test_every_block_has_a_known_language(name: str) -> None:
    unknown = [(block.line, block.language) for block in blocks(PAGES[name]) if block.language not in LANGUAGES]
    assert unknown == []


@pytest.mark.parametrize("name", PAGES)
def test_a_block_that_does_not_run_says_why(name: str) -> None:
    silent = [
        block.line
        for block in blocks(PAGES[name])
        if "not-run" in block.attributes and len(block.attributes["not-run"]) < REASON_LENGTH
    ]
    assert silent == []
