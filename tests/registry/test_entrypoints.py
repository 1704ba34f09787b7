"""Plug-ins are found by their entry points, and not imported for it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vesalia.registry import entrypoints
from vesalia.registry.entrypoints import find_plugin, plugin_names

POINTS = [
    EntryPoint("Tversky", "json.decoder:JSONDecoder", "vesalia.loss"),
    EntryPoint("Gone", "no_such_package:Gone", "vesalia.loss"),
    EntryPoint("Blur", "json.encoder:JSONEncoder", "vesalia.transform"),
]


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_points(group: str, name: str | None = None) -> list[EntryPoint]:
        return [point for point in POINTS if point.group == group and name in {None, point.name}]

    monkeypatch.setattr(entrypoints, "entry_points", entry_points)


def test_a_plugin_becomes_a_target() -> None:
    target = find_plugin("loss", "Tversky")
    assert target is not None
    assert (target.path, target.origin) == ("json.decoder.JSONDecoder", "plugin")
    assert target.file.name == "decoder.py"


def test_what_is_not_registered_or_not_installed_is_not_found() -> None:
    assert find_plugin("loss", "Unknown") is None
    assert find_plugin("loss", "Gone") is None


def test_transforms_serve_batches_too() -> None:
    target = find_plugin("batch_transform", "Blur")
    assert target is not None
    assert target.file == Path(target.file)
    assert plugin_names("transform") == ("Blur",)
    assert plugin_names("loss") == ("Tversky", "Gone")
