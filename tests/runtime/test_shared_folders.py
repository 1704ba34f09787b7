"""Folders of several processes: gone with the last one, and what killed ones leave goes with the next who looks."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from vesalia.runtime import shared_folders as module
from vesalia.runtime.shared_folders import folder_of, join, leave, lives, remove_leftovers, this_process

GONE = json.dumps([2**22 + 1, 0.0])


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for /dev/shm; beside it is the temporary folder."""
    for name in ("shm", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(module, "_SHARED_MEMORY", tmp_path / "shm")
    monkeypatch.setattr("vesalia.runtime.shared_folders.tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    return tmp_path / "shm"


def names(base: Path) -> list[str]:
    return sorted(folder.name.rpartition("-")[2] for folder in base.iterdir())


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(base: Path) -> None:
    for name, member in (("dead", GONE), ("torn", "{"), ("alive", this_process())):
        folder_of(name).mkdir()
        (folder_of(name) / "member-1").write_text(member)
        (folder_of(name) / "0.safetensors").write_bytes(bytes(700))
    removed = remove_leftovers()
    assert names(base) == ["alive"]
    assert removed == {folder_of("dead"): 700 + len(GONE), folder_of("torn"): 701}
    assert remove_leftovers() == {}


def test_what_the_shared_memory_had_no_room_for_goes_too(base: Path) -> None:
    spare = base.parent / "tmp" / folder_of("dead").name
    for folder in (spare, folder_of("dead")):
        folder.mkdir()
        (folder / "member-1").write_text(GONE)
    (spare / "0.safetensors").write_bytes(bytes(700))
    (folder_of("dead") / "0.safetensors").symlink_to(spare / "0.safetensors")
    removed = remove_leftovers()
    assert removed.keys() == {spare, folder_of("dead")}
    assert removed[spare] == 700 + len(GONE)
    assert removed[folder_of("dead")] < 700
    assert not spare.exists()


@pytest.mark.parametrize(("age_s", "stays"), [(0, ["made"]), (50, ["made"]), (70, [])])
def test_a_folder_that_nobody_has_signed_is_dead_after_a_minute(base: Path, age_s: int, stays: list[str]) -> None:
    folder_of("made").mkdir()
    os.utime(folder_of("made"), (time.time() - age_s,) * 2)
    remove_leftovers()
    assert names(base) == stays


def test_folders_of_others_stay(base: Path) -> None:
    (base / "vesalia-items-someone-else").mkdir()
    os.utime(base / "vesalia-items-someone-else", (0, 0))
    assert remove_leftovers() == {}


@pytest.mark.parametrize("other", ["container", "machine"])
def test_folders_of_processes_that_cannot_be_seen_stay(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """A process of another container has a number that nobody has here."""
    monkeypatch.setattr(module, "_BOOT", tmp_path / "boot")
    monkeypatch.setattr(module, "_NAMESPACE", tmp_path / "pid")
    (tmp_path / "boot").write_text("one")
    (tmp_path / "pid").symlink_to("pid:[1]")
    here = folder_of("s")
    if other == "machine":
        (tmp_path / "boot").write_text("two")
    else:
        (tmp_path / "pid").unlink()
        (tmp_path / "pid").symlink_to("pid:[2]")
    for folder in (here, folder_of("s")):
        folder.mkdir()
        (folder / "member-1").write_text(GONE)
    assert remove_leftovers().keys() == {folder_of("s")}
    assert list(base.iterdir()) == [here]


def test_where_the_system_does_not_say_who_is_seen_the_machine_s_name_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_BOOT", "_NAMESPACE"):
        monkeypatch.setattr(module, name, tmp_path / "none")
    folders = []
    for node in ("one", "two", "one"):
        monkeypatch.setattr("platform.node", lambda node=node: node)
        folders.append(folder_of("s"))
    assert folders[0] == folders[2] != folders[1]


def test_the_last_one_takes_the_folder_away(base: Path) -> None:
    folder = folder_of("s")
    join(folder)
    (folder / "member-other").write_text(this_process())
    leave(folder, os.getpid())
    assert [file.name for file in folder.iterdir()] == ["member-other"]
    (folder / "member-other").write_text(GONE)
    leave(folder, os.getpid())
    assert names(base) == []


def test_a_fork_does_not_take_the_folder_away(base: Path) -> None:
    join(folder_of("s"))
    leave(folder_of("s"), os.getpid() + 1)
    assert names(base) == ["s"]


def test_a_folder_that_cannot_be_made_is_told() -> None:
    folder_of("s").touch()
    with pytest.raises(OSError, match="cannot be written"):
        join(folder_of("s"))


def test_a_process_that_has_another_s_number_is_not_taken_for_it() -> None:
    assert lives(this_process())
    assert not lives(json.dumps([os.getpid(), 5.0]))
    assert not lives("")


def test_a_member_that_is_gone_meanwhile_counts_as_gone(base: Path) -> None:
    assert module._read(base / "none") == ""


def test_without_shared_memory_it_is_a_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHARED_MEMORY", tmp_path / "none")
    assert folder_of("s").parent == tmp_path / "tmp"
