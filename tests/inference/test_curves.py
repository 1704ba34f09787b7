"""Learning curves from a training's history."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vesalia.inference.curves import learning_curves, read_history

EPOCHS = [{"kind": "epoch", "epoch": e, "step": 10 * e, "loss": 1 / e, "learning_rate": 10.0**-e} for e in range(1, 5)]
VALIDATIONS = [
    {"kind": "validation", "epoch": e, "step": 10 * e, "metrics": {"dice": d, "neg_loss": -0.5}}
    for e, d in ((2, 0.5), (3, 0.8), (4, None))
]


def test_a_history_is_read_line_by_line_and_torn_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    lines = [json.dumps(EPOCHS[0]), "", "[1]", '{"no": "kind"}', json.dumps(VALIDATIONS[0]), '{"kind": "epo']
    path.write_text("\n".join(lines))
    assert read_history(path) == [EPOCHS[0], VALIDATIONS[0]]


def test_no_file_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "history.jsonl") == []
    assert learning_curves([]) == []


def test_loss_metrics_and_learning_rate_are_drawn() -> None:
    loss, metrics, rate = learning_curves([*EPOCHS, *VALIDATIONS])
    assert "Training loss" in loss
    assert "neg_loss" in metrics
    assert "<title>0.8</title>" in metrics  # the best validation is ringed; the one without a value is not
    assert "1e-4" in rate  # over more than a power of ten the axis is logarithmic


def test_a_training_without_validation_has_no_chart_for_it() -> None:
    steady: list[dict[str, Any]] = [{**entry, "learning_rate": 0.5} for entry in EPOCHS]
    titles = [chart.partition('aria-label="')[2].partition('"')[0] for chart in learning_curves(steady)]
    assert titles == ["Training loss", "Learning rate"]
