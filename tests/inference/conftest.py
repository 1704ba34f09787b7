"""A tiny archive with data, and with the echo model in place of weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.inference.tiny import echo_loaded, make_archive, make_data
from vesalia.inference import assemble
from vesalia.mmar.plan import EvaluatePlan
from vesalia.mmar.validate import plan_evaluation

__all__: list[str] = []

Planner = Callable[..., EvaluatePlan]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of an archive with three cases and no weights."""
    return make_archive(tmp_path / "tiny", make_data(tmp_path / "data"))


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations get a model that says what the image says."""
    monkeypatch.setattr(assemble, "load_weights", lambda prefix, **_: echo_loaded(Path(prefix)))


@pytest.fixture
def plan(root: Path) -> EvaluatePlan:
    """The archive's plan: judge and write."""
    return plan_evaluation(root, do_validation=True, output_infer_result=True)
