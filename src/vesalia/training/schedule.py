"""How long a training lasts, when it validates, and how far it has come: by epochs or by the clock."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from vesalia.errors import ResourceError

__all__ = ["BudgetSchedule", "EpochSchedule", "Schedule"]

_VALIDATION_SHARE = 0.1
"""Part of a time budget that validations may take, when even one of them is that short."""
_LONGEST_VALIDATION_SHARE = 0.3
"""Part of a time budget that the last validation may take; a longer list is validated in part."""
_MOST_VALIDATIONS = 10
_CLOSING_S = 3.0
"""Seconds kept for saving, the last lines of the log and the end of the process."""


class Schedule(ABC):
    """Says what the loop asks after each step: how far are we, are we done, is it time to validate.

    Attributes:
        fraction: Done part of the training, 0 to 1.
    """

    fraction: float = 0.0

    @abstractmethod
    def stepped(self, *, epoch: int, step: int, steps_per_epoch: int) -> None:
        """Take note that step ``step`` (counted from 1) of epoch ``epoch`` (counted from 1) is done."""

    @property
    def finished(self) -> bool:
        """Whether the training is over."""
        return self.fraction >= 1.0

    @abstractmethod
    def due(self, *, epoch: int, epoch_ended: bool) -> bool:
        """Whether to validate now; the loop validates once more at the end if the last steps were not judged."""

    def goes_on_after(self, epoch: int) -> bool:
        """Whether epoch ``epoch`` (counted from 1) is not the last one, as far as can be told."""
        return True

    def rehearsed(self, *, seconds_per_case: float, cases: int) -> None:
        """Take note of what a validation will cost, measured before the first one."""

    def validated(self, *, seconds: float) -> None:
        """Take note that a validation took ``seconds``."""

    def validation_seconds(self) -> float:
        """How long the next validation may take; it judges at least one case."""
        return math.inf

    def seconds_left(self) -> float | None:
        """Seconds until the end if that is known beforehand."""
        return None

    def to_dict(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {"fraction": self.fraction}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where :meth:`to_dict` left off."""
        self.fraction = float(state["fraction"])


class EpochSchedule(Schedule):
    """A set number of epochs, validation every ``valid_every`` epochs (multiples, counted from 1, as in v3)."""

    def __init__(self, epochs: int, valid_every: int) -> None:
        self.epochs = epochs
        self.valid_every = valid_every

    def stepped(self, *, epoch: int, step: int, steps_per_epoch: int) -> None:
        """The fraction is epochs done, parts of epochs included, over all epochs."""
        self.fraction = (epoch - 1 + step / steps_per_epoch) / self.epochs

    def due(self, *, epoch: int, epoch_ended: bool) -> bool:
        """At the end of each multiple of ``valid_every``."""
        return epoch_ended and epoch % self.valid_every == 0

    def goes_on_after(self, epoch: int) -> bool:
        """Whether there are more."""
        return epoch < self.epochs

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing: the fraction follows from the epoch, and an extended training has further to go."""


class BudgetSchedule(Schedule):
    """A wall-clock budget: epochs, learning rate and validations are laid over the time until ``deadline``.

    The fraction moves with the clock. After each step it takes the step's share of the time that is left for
    training, so that a slow validation or a slow machine bends the rest of the curve and never the end.

    Args:
        deadline: ``clock()`` time at which the process must be gone.
        clock: Seconds, increasing; the wall clock by default.
    """

    def __init__(self, deadline: float, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._deadline = deadline - _CLOSING_S
        self._began = self._last = clock()
        self._validation_s = 0.0
        self._validations_left = 1
        self._validations = 1
        self._laid_from = 0.0
        if self._deadline <= self._began:
            message = (
                f"--budget: found that setting up took until {self._began - self._deadline:.0f} s past the budget, "
                "expected time to train in; write a larger budget"
            )
            raise ResourceError(message)

    def rehearsed(self, *, seconds_per_case: float, cases: int) -> None:
        """Lay as many validations over the budget as fit into a tenth of it, at least one and at most ten."""
        budget = self._deadline - self._began
        self._laid_from = self.fraction
        self._validation_s = min(seconds_per_case * cases, _LONGEST_VALIDATION_SHARE * budget)
        fitting = int(_VALIDATION_SHARE * budget / max(self._validation_s, 1e-3))
        self._validations = self._validations_left = min(max(fitting, 1), _MOST_VALIDATIONS)
        self._last = self._clock()

    def stepped(self, *, epoch: int, step: int, steps_per_epoch: int) -> None:
        """Move by this step's share of the training time that is left."""
        now = self._clock()
        took, self._last = now - self._last, now
        left = self._deadline - now - self._validations_left * self._validation_s
        self.fraction = 1.0 if left <= took else min(1.0, self.fraction + (1 - self.fraction) * took / (left + took))

    def due(self, *, epoch: int, epoch_ended: bool) -> bool:
        """At equal parts of the training time that was left when they were laid over it."""
        if self._validations_left == 1:
            return False  # the one at the end is the loop's
        done = self._validations - self._validations_left
        return self.fraction >= self._laid_from + (1 - self._laid_from) * (done + 1) / self._validations

    def validated(self, *, seconds: float) -> None:
        """Correct the estimate by what the validation really took."""
        self._validation_s = max(seconds, 0.5 * self._validation_s)
        self._validations_left = max(1, self._validations_left - 1)
        self._last = self._clock()

    def validation_seconds(self) -> float:
        """What is planned for one, or what is left: then the list is judged in part."""
        planned = max(self._validation_s, _LONGEST_VALIDATION_SHARE * (self._deadline - self._began))
        return min(planned, self._deadline - self._clock())

    def seconds_left(self) -> float | None:
        """Seconds until the deadline."""
        return max(0.0, self._deadline - self._clock())
