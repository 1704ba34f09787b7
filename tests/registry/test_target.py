"""A target is an address: written as a config writes it."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from vesalia.registry.target import Target


def test_path_is_module_and_class() -> None:
    assert Target("a.b", "C", "custom", Path("b.py")).path == "a.b.C"
