"""The commit of a checkout, read without asking git, whose configuration could run commands."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from vesalia.runtime.git_state import commit_of


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "repo")
    (tmp_path / "repo" / "archive" / "config").mkdir(parents=True)
    git(tmp_path / "repo", "commit", "-q", "--allow-empty", "-m", "one")
    return tmp_path / "repo"


def test_the_commit_of_a_branch(checkout: Path) -> None:
    assert commit_of(checkout / "archive") == git(checkout, "rev-parse", "HEAD")


def test_the_commit_of_a_packed_branch(checkout: Path) -> None:
    git(checkout, "pack-refs", "--all")
    assert commit_of(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_detached_head(checkout: Path) -> None:
    git(checkout, "checkout", "-q", "--detach")
    assert commit_of(checkout) == git(checkout, "rev-parse", "HEAD")


def test_a_work_tree_of_its_own(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "-q", str(tmp_path / "tree"))
    assert commit_of(tmp_path / "tree") == git(checkout, "rev-parse", "HEAD")


def test_no_commit_yet_and_no_checkout(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == ""
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) == ""


@pytest.mark.parametrize("head", ["ref: ../../secret", "ref: refs/../../secret", "", "nonsense"])
def test_a_head_that_points_elsewhere_is_not_followed(tmp_path: Path, head: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert commit_of(tmp_path) == ""


def test_commands_in_a_repository_are_not_run(checkout: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    git(checkout, "config", "core.fsmonitor", f"touch {trap}")
    assert commit_of(checkout)
    assert not trap.exists()
