"""What a seeded mistake is, and the ways in which the tables make one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.end_to_end.workbench import TRAIN, Bench

__all__ = ["Damage", "Mistake", "all_of", "as_it_is", "drop", "put", "put_text", "replace_text", "slip", "step"]

Damage = Callable[[Bench], object]


@dataclass(frozen=True)
class Mistake:
    """One row of a table.

    Attributes:
        name: What the person did, in a few words.
        damage: Does it to a sound archive and its data.
        says: What the message must contain.
        commands: The verbs it is tried with.
        options: What stands behind the archive on the command line.
        may_change: Prefixes of paths that the command may write before it fails.
    """

    name: str
    damage: Damage
    says: tuple[str, ...]
    commands: tuple[str, ...] = ("check", "train")
    options: tuple[str, ...] = ()
    may_change: tuple[str, ...] = ()


def as_it_is(_: Bench) -> None:
    """The mistake is on the command line."""


def all_of(*damages: Damage) -> Damage:
    """Several at once."""

    def damage(bench: Bench) -> None:
        for one in damages:
            one(bench)

    return damage


def _steps(path: str) -> list[str | int]:
    return [int(number) if number else name for name, number in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)]


def _parent(content: Any, path: str) -> tuple[Any, Any]:
    """What holds the value at ``path``, and its name there; objects on the way are made."""
    *way, last = _steps(path)
    for part in way:
        if isinstance(content, dict):
            content.setdefault(part, {})
        content = content[part]
    return content, last


def put(path: str, value: Any, file: str = TRAIN) -> Damage:
    """Write ``value`` at a key path of a JSON file."""

    def damage(bench: Bench) -> None:
        content = bench.read(file)
        holder, last = _parent(content, path)
        holder[last] = value
        bench.write(file, content)

    return damage


def drop(path: str, file: str = TRAIN) -> Damage:
    """Take a key out of a JSON file."""

    def damage(bench: Bench) -> None:
        content = bench.read(file)
        holder, last = _parent(content, path)
        del holder[last]
        bench.write(file, content)

    return damage


def slip(path: str, wrong: str, file: str = TRAIN) -> Damage:
    """Misspell a key."""

    def damage(bench: Bench) -> None:
        content = bench.read(file)
        holder, right = _parent(content, path)
        renamed = {wrong if name == right else name: value for name, value in holder.items()}
        assert wrong in renamed
        holder.clear()
        holder.update(renamed)
        bench.write(file, content)

    return damage


def step(name: str, key: str, value: Any, chain: str = "train.pre_transforms", file: str = TRAIN) -> Damage:
    """Write an argument of the transform called ``name``."""

    def damage(bench: Bench) -> None:
        content = bench.read(file)
        holder, last = _parent(content, chain)
        found = next(member for member in holder[last] if member.get("name") == name)
        found["args"][key] = value
        bench.write(file, content)

    return damage


def put_text(file: str, text: str) -> Damage:
    """Write a whole file below the archive anew."""

    def damage(bench: Bench) -> None:
        path = bench.archive / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return damage


def replace_text(file: str, right: str, wrong: str) -> Damage:
    """Change the text of a file, once."""

    def damage(bench: Bench) -> None:
        path = bench.archive / file
        text = path.read_text()
        assert right in text
        path.write_text(text.replace(right, wrong, 1))

    return damage
