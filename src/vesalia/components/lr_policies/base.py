"""What a learning-rate policy is: how far the training has come in, a learning rate out."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

__all__ = ["LearningRatePolicy", "Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training has come.

    Attributes:
        fraction: Done part of the whole, 0 to 1: epochs done (fractions of epochs included) over all
            epochs, or time spent over the time budget where one was given.
        step: Optimizer steps done.
        validations_without_gain: Validations since the key metric last improved.
        earlier_stalls: Validations without gain in each stretch that a gain has ended since, in any order;
            stretches of no validation may be left out.
    """

    fraction: float
    step: int
    validations_without_gain: int = 0
    earlier_stalls: tuple[int, ...] = ()


class LearningRatePolicy(ABC):
    """Says the learning rate of the next step.

    A policy remembers nothing: the same progress gives the same rate, so that a resumed training goes on
    where it was.
    """

    @abstractmethod
    def __call__(self, initial: float, progress: Progress) -> float:
        """The learning rate for a training that began at ``initial`` and has come as far as ``progress``."""
