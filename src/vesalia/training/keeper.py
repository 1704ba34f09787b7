"""What a training leaves on disk: the best model, the last model, and the state to go on from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import optim

from vesalia.components.models.base import Model
from vesalia.inference.checkpoint_names import BEST, FINAL
from vesalia.inference.weights import save_weights
from vesalia.training.schedule import Schedule
from vesalia.training.state import Counters, save_state
from vesalia.training.weight_average import WeightAverage, wearing

__all__ = ["Keeper", "Standing"]

_STATE_EVERY_S = 30.0


class Standing(Protocol):
    """What the keeper looks at: a trainer."""

    model: Model
    optimizer: optim.Optimizer
    counters: Counters
    schedule: Schedule
    average: WeightAverage | None


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Writes into the run folder; each file is whole or not there.

    Attributes:
        folder: The run folder (``MMAR_CKPT_DIR``).
        describe: Makes the card beside the weights: network, config, class names, epoch, metric.
        state_every_s: Least seconds between states that are saved between two steps.
    """

    folder: Path
    describe: Callable[[Counters], Mapping[str, Any]]
    state_every_s: float = _STATE_EVERY_S
    _saved: float = field(default_factory=time.monotonic)

    def save_best(self, run: Standing) -> None:
        """Write ``model``: v3's ``model.ckpt``."""
        self._save_weights(BEST, run)

    def save_last(self, run: Standing) -> None:
        """Write ``model_final``, and the state; without a best model (nothing was judged) the last is it."""
        self._save_weights(FINAL, run)
        if run.counters.best_epoch == 0:
            self._save_weights(BEST, run)
        self.save_state(run)

    def save_state(self, run: Standing) -> None:
        """Write the state to go on from."""
        run.counters.schedule = run.schedule.to_dict()
        parts = {} if run.average is None else {"average": run.average}
        save_state(self.folder, model=run.model, optimizer=run.optimizer, counters=run.counters, parts=parts)
        self._saved = time.monotonic()

    def save_state_now_and_then(self, run: Standing) -> None:
        """Write the state if the last one is old enough."""
        if time.monotonic() - self._saved >= self.state_every_s:
            self.save_state(run)

    def _save_weights(self, name: str, run: Standing) -> None:
        card = self.describe(run.counters)
        with wearing(run.average, run.model):  # an average that was judged is what is kept
            save_weights(self.folder / name, run.model, card=card)
