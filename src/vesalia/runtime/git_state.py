"""Which commit a folder is at, read as text.

Git itself is not called: a repository's own configuration can name commands that ``git status`` would run, and an
archive from a stranger must not run code by being read.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from pathlib import Path

__all__ = ["commit_of"]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REF = re.compile(r"refs/[\w./+@-]+")


def commit_of(folder: Path) -> str:
    """The commit of the checkout around ``folder``; empty outside of one."""
    top = next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), None)
    if top is None:
        return ""
    try:
        return _head(_git_folder(top / ".git"))
    except (OSError, UnicodeDecodeError):
        return ""


def _git_folder(place: Path) -> Path:
    """``.git`` itself, or the folder that a ``.git`` file of a work tree points to."""
    if place.is_dir():
        return place
    return place.parent / place.read_text(encoding="utf-8").removeprefix("gitdir:").strip()


def _head(git: Path) -> str:
    said = (git / "HEAD").read_text(encoding="utf-8").strip()
    name = said.removeprefix("ref:").strip()
    if _COMMIT.fullmatch(said):
        return said
    if not _REF.fullmatch(name) or ".." in name:
        return ""
    common = git / "commondir"
    places = [git, git / common.read_text(encoding="utf-8").strip()] if common.is_file() else [git]
    return next(filter(None, (_loose(place, name) or _packed(place, name) for place in places)), "")


def _loose(git: Path, name: str) -> str:
    path = git / name
    said = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    return said if _COMMIT.fullmatch(said) else ""


def _packed(git: Path, name: str) -> str:
    path = git / "packed-refs"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {name}") and _COMMIT.match(line)), "")
