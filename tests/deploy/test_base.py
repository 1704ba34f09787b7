"""The interface of formats."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.conftest import Make
from vesalia.deploy.base import Deployment, Format


def test_a_format_writes_files(make: Make) -> None:
    class Note(Format):
        name, purpose = "note", "a test"

        def write(self, deployment: Deployment) -> tuple[Path, ...]:
            return (deployment.folder / deployment.name,)

    assert Note().write(make())[0].name == "model"
    with pytest.raises(TypeError):
        Format()  # type: ignore[abstract]
