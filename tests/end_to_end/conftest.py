"""The tiny archive of the end-to-end tests: made and trained once, copied for each test."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.workbench import Bench, build_bench
from vesalia.api import Archive

__all__: list[str] = []


@pytest.fixture(scope="session")
def sound_bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Nothing is wrong with it, and it is not trained; nobody changes it."""
    return build_bench(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="session")
def trained_bench(tmp_path_factory: pytest.TempPathFactory, sound_bench: Bench) -> Bench:
    """The same after a training; nobody changes it."""
    made = sound_bench.copy(tmp_path_factory.mktemp("trained") / "bench")
    Archive(made.archive).train(seed=1, device="cpu")
    return made


@pytest.fixture
def untrained(tmp_path: Path, sound_bench: Bench) -> Bench:
    """A bench of the test's own, before training."""
    return sound_bench.copy(tmp_path / "bench")


@pytest.fixture
def bench(tmp_path: Path, trained_bench: Bench) -> Bench:
    """A bench of the test's own, after a training."""
    return trained_bench.copy(tmp_path / "bench")
