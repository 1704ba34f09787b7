"""When a training has seen enough: its key metric is good enough, or has not risen for long enough."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass

from vesalia.training.state import Counters

__all__ = ["EarlyStop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyStop:
    """The two reasons to stop early; both are off by default.

    Attributes:
        threshold: Value of the key metric that is good enough (``stop_threshold``).
        patience: Validations without a gain after which no more are waited for (``stop_patience``).
    """

    threshold: float | None = None
    patience: int | None = None

    def reason(self, counters: Counters) -> str:
        """Why to stop, in words for the user; empty while there is no reason."""
        if self.threshold is not None and counters.best >= self.threshold:
            return f"stopped early: the key metric reached {counters.best:.4f}, stop_threshold is {self.threshold:g}"
        stalls = counters.validations_without_gain
        if self.patience is not None and stalls >= self.patience:
            best = f"the best, {counters.best:.4f}, is of epoch {counters.best_epoch}"
            return f"stopped early: no gain in {stalls} validations, stop_patience is {self.patience}; {best}"
        return ""
