"""Learning curves, from the history that a training leaves beside its weights."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vesalia.inference.chart import Series, line_chart

__all__ = ["HISTORY_FILE", "learning_curves", "read_history"]

HISTORY_FILE = "history.jsonl"
"""Its name in the checkpoint folder: a JSON object per line, ``kind`` ``epoch`` or ``validation``."""

Entry = Mapping[str, Any]
_X_LABEL = "optimizer steps"


def read_history(path: Path) -> list[dict[str, Any]]:
    """The entries of a history file; none where there is no file. Lines that are not whole are left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    entries = [_entry(line) for line in lines]
    return [entry for entry in entries if entry is not None]


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "kind" in entry else None


def learning_curves(history: Sequence[Entry]) -> list[str]:
    """Charts of a training: loss, validation metrics (the best one ringed), learning rate; none where it is empty."""
    epochs = [entry for entry in history if entry["kind"] == "epoch"]
    validations = [entry for entry in history if entry["kind"] == "validation"]
    loss = [_series("training loss", epochs, "loss")]
    rate = [_series("learning rate", epochs, "learning_rate")]
    names = sorted({name for entry in validations for name in entry.get("metrics", {})})
    scores = [_metric(name, validations) for name in names]
    wide = [y for one in rate for _, y in one.points if y > 0]
    charts = (
        (loss, "Training loss", False),
        (scores, "Validation", False),
        (rate, "Learning rate", bool(wide) and max(wide) / min(wide) > 10),
    )
    return [
        line_chart(s, title=title, x_label=_X_LABEL, log=log) for s, title, log in charts if any(o.points for o in s)
    ]


def _series(name: str, entries: Sequence[Entry], key: str) -> Series:
    return Series(name, tuple((float(e["step"]), _number(e[key])) for e in entries if "step" in e and key in e))


def _metric(name: str, validations: Sequence[Entry]) -> Series:
    judged = [entry for entry in validations if "step" in entry and name in entry.get("metrics", {})]
    points = tuple((float(entry["step"]), _number(entry["metrics"][name])) for entry in judged)
    known = [index for index, (_, y) in enumerate(points) if math.isfinite(y)]
    best = max(known, key=lambda index: points[index][1], default=None)
    return Series(name, points, marked=best)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
