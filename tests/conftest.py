"""What every test gets: a Hypothesis profile that does not depend on a busy machine, and a tiny archive if it asks."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.threads import alive, wait_for_compilers
from tests.tiny_archive import make_archive, make_data
from vesalia.api import Archive

__all__: list[str] = []

# A deadline would judge the machine, not the code; a fixed choice of examples makes a failure come again.
hypothesis.settings.register_profile("vesalia", deadline=None, derandomize=True, max_examples=50, print_blob=True)
hypothesis.settings.load_profile("vesalia")


_THREADS = ("OMP", "MKL", "OPENBLAS")


def pytest_configure() -> None:
    """Tests that run side by side share the cores; and sums are added in the same order as in processes they start."""
    for library in _THREADS:
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")


def pytest_runtest_setup() -> None:
    """What the test before has begun to compile is done."""
    wait_for_compilers()


def pytest_runtest_call() -> None:
    """What fixtures have begun to compile is done."""
    wait_for_compilers()


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person at the keyboard changes what a test sees."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Whatever a test does, threads of the package end with it."""
    before = alive()
    yield
    assert alive() <= before


@pytest.fixture(autouse=True)
def _same_first_weights() -> None:
    """A network draws its first weights from torch's one global generator: the same in any order of the tests."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data list of the tiny data set, made once; nobody changes its files."""
    return make_data(tmp_path_factory.mktemp("balls"))


@pytest.fixture
def archive(tmp_path: Path, balls: Path) -> Path:
    """A tiny archive of the test's own, not trained."""
    return make_archive(tmp_path / "archive", balls)


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory: pytest.TempPathFactory, balls: Path) -> Path:
    """A tiny archive that was trained for four epochs; copy it before changing it."""
    root = make_archive(tmp_path_factory.mktemp("trained") / "archive", balls)
    Archive(root).train(seed=1, device="cpu")
    return root


@pytest.fixture
def trained(tmp_path: Path, trained_once: Path) -> Path:
    """A tiny trained archive of the test's own."""
    return shutil.copytree(trained_once, tmp_path / "archive")
