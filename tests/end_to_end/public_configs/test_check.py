"""``vesalia check`` passes on every public config as it was published, with the data of the user."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.public_configs.archives import NAMES, build, data_settings, public
from vesalia.api import Archive


@pytest.fixture(autouse=True)
def _roomy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The configs were made for large machines; whether they fit into the one of the tests is not the question."""
    monkeypatch.setattr("vesalia.datatools.estimate.available_memory_bytes", lambda: 2**33)


@pytest.mark.parametrize("name", NAMES)
def test_passes(name: str, tmp_path: Path, dataset: Callable[[str], Path]) -> None:
    one = public(name)
    root = build(tmp_path / "mmar", one)
    settings = [*data_settings(dataset(one.data)), *one.overrides]
    report = Archive(root, allow_custom_code=bool(one.custom)).check(overrides=settings, labels="all")
    assert report.faults == ()
    told = "\n".join(map(str, report.warnings))
    assert [note for note in one.notes if note not in told] == []
