"""Components that installed plug-ins add, by the entry-point groups ``vesalia.<slot>``.

A plug-in's ``pyproject.toml`` says, for example::

    [project.entry-points."vesalia.loss"]
    Tversky = "my_package.tversky:Tversky"
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from importlib.metadata import entry_points

from vesalia.registry.source import locate_module
from vesalia.registry.target import Target

__all__ = ["find_plugin", "plugin_names"]


def _groups(slot: str) -> tuple[str, ...]:
    return ("vesalia.transform", "vesalia.batch_transform") if slot.endswith("transform") else (f"vesalia.{slot}",)


def find_plugin(slot: str, name: str) -> Target | None:
    """The class that a plug-in registered as ``name``; nothing is imported."""
    for group in _groups(slot):
        for point in entry_points(group=group, name=name):
            file = locate_module(point.module)
            if file is not None:
                return Target(point.module, point.attr, "plugin", file)
    return None


def plugin_names(slot: str) -> tuple[str, ...]:
    """Every name that plug-ins registered for a slot."""
    return tuple(point.name for group in _groups(slot) for point in entry_points(group=group))
