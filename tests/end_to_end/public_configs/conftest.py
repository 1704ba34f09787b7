"""The tiny data sets of the public configs, each made once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.public_configs.volumes import make

__all__: list[str] = []


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A data list by the name of its data set; nobody changes its files."""
    made: dict[str, Path] = {}

    def give(name: str) -> Path:
        if name not in made:
            made[name] = make(name, tmp_path_factory.mktemp(name) / "data")
        return made[name]

    return give
