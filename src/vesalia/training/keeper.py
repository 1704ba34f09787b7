"""What a training leaves on disk: the best model, the last model, and the state to go on from."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from torch import optim

from vesalia.components.models.base import Model
from vesalia.inference.checkpoint_names import BEST, FINAL
from vesalia.inference.weights import save_weights
from vesalia.training.meter import Meter
from vesalia.training.run_folder import Rival
from vesalia.training.schedule import Schedule
from vesalia.training.state import Counters, Stateful, save_state
from vesalia.training.weight_average import WeightAverage, wearing

__all__ = ["Keeper", "Standing"]

_STATE_EVERY_S = 30.0
_LARGEST_SHARE = 0.02
"""Part of the time that saving states may take: those of a large network come less often."""


class Standing(Protocol):
    """What the keeper looks at: a trainer."""

    model: Model
    optimizer: optim.Optimizer
    counters: Counters
    schedule: Schedule
    average: WeightAverage | None
    meter: Meter
    parts: Mapping[str, Stateful]


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Writes into the run folder; each file is whole or not there.

    Attributes:
        folder: The run folder (``MMAR_CKPT_DIR``).
        describe: Makes the card beside the weights: network, config, class names, epoch, metric.
        state_every_s: Least seconds between states that are saved between two steps; None for half a minute, or longer
            where saving takes long.
        states_kept: States that are kept, the newest included.
        rival: A best model on disk that is newer than the state the run goes on from; a worse one does not replace it.
        writes: Whether this process writes; of several that train together, the first does.
    """

    folder: Path
    describe: Callable[[Counters], Mapping[str, Any]]
    state_every_s: float | None = None
    states_kept: int = 2
    rival: Rival = field(default_factory=Rival)
    writes: bool = True
    _saved: float = field(default_factory=time.monotonic)
    _took_s: float = 0.0

    def save_best(self, run: Standing) -> None:
        """Write ``model``: v3's ``model.ckpt``."""
        if run.counters.best >= self.rival.value:
            self._save_weights(BEST, run)

    def save_last(self, run: Standing) -> None:
        """Write ``model_final``, and the state; without a best model (nothing was judged) the last is it."""
        self._save_weights(FINAL, run)
        if run.counters.best_epoch == 0 and self.rival.epoch == 0:
            self._save_weights(BEST, run)
        self.save_state(run)

    def save_state(self, run: Standing) -> None:
        """Write the state to go on from."""
        if not self.writes:
            return
        began = time.monotonic()
        run.counters.schedule = run.schedule.to_dict()
        save_state(
            self.folder,
            model=run.model,
            optimizer=run.optimizer,
            counters=replace(run.counters, measured=run.meter.to_dict()),
            parts=run.parts,
            kept=self.states_kept,
        )
        self._saved = time.monotonic()
        self._took_s = self._saved - began

    def save_state_now_and_then(self, run: Standing) -> None:
        """Write the state if the last one is old enough."""
        least_s = (
            max(_STATE_EVERY_S, self._took_s / _LARGEST_SHARE) if self.state_every_s is None else self.state_every_s
        )
        if time.monotonic() - self._saved >= least_s:
            self.save_state(run)

    def _save_weights(self, name: str, run: Standing) -> None:
        if not self.writes:
            return
        card = self.describe(run.counters)
        with wearing(run.average, run.model):  # an average that was judged is what is kept
            save_weights(self.folder / name, run.model, card=card)
