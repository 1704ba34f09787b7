"""Every public config trains an epoch, validates and saves, reduced as :mod:`reduction` says."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.public_configs.archives import NAMES, build, data_settings, public
from tests.end_to_end.public_configs.reduction import reduced
from vesalia.api import Archive
from vesalia.inference.weights import load_weights

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", NAMES)
def test_trains(name: str, tmp_path: Path, dataset: Callable[[str], Path]) -> None:
    one = public(name)
    root = build(tmp_path / "mmar", one, reduced(one))
    settings = [*data_settings(dataset(one.data)), *one.overrides]
    result = Archive(root, allow_custom_code=bool(one.custom)).train(overrides=settings, device="cpu", seed=1)
    assert (result.epochs, result.best_epoch) == (1, 1)
    assert math.isfinite(result.best_metric)
    assert load_weights(root / "models" / "model").card["epoch"] == 1
    assert load_weights(root / "models" / "model_final").card["epoch"] == 1
    shutil.rmtree(root)  # some networks are large, and pytest keeps what tests leave
