"""Plans that the tests of this folder share; nobody changes their files."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from tests.datatools.plans import evaluation_of, made, training_of
from vesalia.mmar.plan import EvaluatePlan, TrainPlan

__all__: list[str] = []


@pytest.fixture(scope="package")
def shared_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new archive for a small Decathlon data set."""
    return made(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="package")
def training(shared_archive: Path) -> TrainPlan:
    """Its training plan."""
    return training_of(shared_archive)


@pytest.fixture(scope="package")
def evaluation(shared_archive: Path) -> EvaluatePlan:
    """Its evaluation plan, judging and writing."""
    return evaluation_of(shared_archive)
