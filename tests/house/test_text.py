"""What stands in the files of the repository: encodings, line ends, and scripts that can be run."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["src", "tests", "docs", "scripts", "examples", "benchmarks", ".ci"]
SUFFIXES = {".py", ".md", ".json", ".toml", ".sh", ".txt", ""}
SCRIPTS = ["scripts/install", "scripts/check", "scripts/test", "scripts/demo", "scripts/docs", ".ci/run"]


def texts() -> list[Path]:
    """The text files of the repository."""
    below = [path for name in FOLDERS if (ROOT / name).is_dir() for path in (ROOT / name).rglob("*")]
    return [p for p in below if p.is_file() and p.suffix in SUFFIXES and "__pycache__" not in p.parts]


def test_text_files_are_utf8_with_plain_line_ends() -> None:
    bad = []
    for path in texts():
        content = path.read_bytes()
        if b"\r" in content or (content and not content.endswith(b"\n")):
            bad.append(str(path.relative_to(ROOT)))
        content.decode("utf-8")
    assert bad == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run_and_stops_at_errors(name: str) -> None:
    path = ROOT / name
    assert os.access(path, os.X_OK)
    assert re.search(r"^set -eu", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_pages_name_no_path_of_a_machine() -> None:
    pattern = re.compile(r"/(?:home|root|work|Users)/")
    named = [str(p.relative_to(ROOT)) for p in texts() if p.suffix == ".md" and pattern.search(p.read_text("utf-8"))]
    assert named == []
