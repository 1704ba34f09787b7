"""What a training came to, as plain data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from vesalia.training.result import TrainResult


def result(**changes: Any) -> TrainResult:
    """A result with plausible values."""
    plain: dict[str, Any] = {
        "key_metric": "mean_dice",
        "best_metric": 0.91,
        "best_epoch": 12,
        "epochs": 20,
        "steps": 400,
        "seconds": 61.5,
        "seed": 42,
        "run_folder": Path("archive/models"),
        "best_model": Path("archive/models/model.safetensors"),
        "last_model": Path("archive/models/model_final.safetensors"),
    }
    return TrainResult(**{**plain, **changes})


def test_it_is_json_with_paths_as_text() -> None:
    found = json.loads(json.dumps(result(notes=("a", "b"), resumed=True).to_dict(), allow_nan=False))
    assert found == {
        "key_metric": "mean_dice",
        "best_metric": 0.91,
        "best_epoch": 12,
        "epochs": 20,
        "steps": 400,
        "seconds": 61.5,
        "seed": 42,
        "run_folder": "archive/models",
        "best_model": "archive/models/model.safetensors",
        "last_model": "archive/models/model_final.safetensors",
        "notes": ["a", "b"],
        "resumed": True,
    }


def test_a_run_that_was_never_judged_has_null_for_its_metric() -> None:
    assert result(best_metric=math.nan, best_epoch=0).to_dict()["best_metric"] is None
