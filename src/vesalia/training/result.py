"""What a training came to."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vesalia.runtime.jsonfile import as_json

__all__ = ["TrainResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """The outcome of a training.

    Attributes:
        key_metric: Name of the metric that chose the best model; empty without a validation section.
        best_metric: Its best value; NaN if nothing was validated.
        best_epoch: Epoch of the best value, counted from 1; 0 for none.
        epochs: Epochs begun.
        steps: Optimizer steps done.
        seconds: Wall-clock seconds of training, resumed parts included.
        seed: The run's seed.
        run_folder: Where everything was written.
        best_model: Weights of the best model (``.safetensors``; the card is beside it as ``.json``).
        last_model: Weights of the last model.
        notes: What the user should know.
        resumed: Whether the run went on from an earlier one.
    """

    key_metric: str
    best_metric: float
    best_epoch: int
    epochs: int
    steps: int
    seconds: float
    seed: int
    run_folder: Path
    best_model: Path
    last_model: Path
    notes: tuple[str, ...] = field(default=())
    resumed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The result as plain data, for ``--json``."""
        plain: dict[str, Any] = as_json(asdict(self))
        return plain
