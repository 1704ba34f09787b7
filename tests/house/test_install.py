"""``scripts/install`` makes ``.venv`` when it must and leaves it alone when it may, here with a Python of straw."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = """#!/bin/sh
# Notes what it is asked for; `-m venv` copies it to where the environment's Python is looked for.
echo "$NAME $*" >>"{log}"
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; fi
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two Pythons beside it: ``one`` and ``two``."""
    root = tmp_path / "checkout"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "install", root / "scripts" / "install")
    for name in ("pyproject.toml", "constraints.txt"):
        (root / name).write_text("")
    for name in ("one", "two"):
        path = tmp_path / name
        path.write_text(PYTHON.replace("$NAME", name).format(log=tmp_path / "log"))
        path.chmod(0o755)
    return root


def made_with(checkout: Path, python: str | None, **more: str) -> list[str]:
    """Run the script; the names of the Pythons that made an environment."""
    log = checkout.parent / "log"
    log.write_text("")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VESALIA_")} | more
    if python is not None:
        environment["VESALIA_PYTHON"] = str(checkout.parent / python)
    subprocess.run([checkout / "scripts" / "install"], env=environment, check=True, capture_output=True)
    return [line.split()[0] for line in log.read_text().splitlines() if "-m venv" in line]


def installed(checkout: Path) -> bool:
    """Whether the last run installed anything."""
    return "pip install" in (checkout.parent / "log").read_text()


def test_the_second_time_nothing_is_done(checkout: Path) -> None:
    assert made_with(checkout, "one") == ["one"]
    assert installed(checkout)
    assert made_with(checkout, "one") == []
    assert not installed(checkout)


def test_another_python_makes_the_environment_anew(checkout: Path) -> None:
    made_with(checkout, "one")
    assert made_with(checkout, "two") == ["two"]
    assert made_with(checkout, "two") == []


def test_who_names_no_python_keeps_the_one_there_is(checkout: Path) -> None:
    made_with(checkout, "one")
    assert made_with(checkout, None) == []
    assert not installed(checkout)


def test_other_extras_are_installed_into_the_same_environment(checkout: Path) -> None:
    made_with(checkout, "one")
    assert made_with(checkout, "one", VESALIA_EXTRAS="testing") == []
    assert installed(checkout)


def test_a_checkout_that_was_moved_gets_a_new_environment_of_the_same_python(checkout: Path) -> None:
    made_with(checkout, "one")
    moved = checkout.rename(checkout.with_name("moved"))
    assert made_with(moved, None) == ["one"]
