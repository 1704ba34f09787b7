"""LibrarySchedule: any learning-rate schedule of PyTorch or MONAI that plain values describe."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import optim

from vesalia.components.lr_policies.base import LearningRatePolicy, Progress
from vesalia.errors import ConfigError
from vesalia.registry.kinds import Count
from vesalia.registry.library import load_library

__all__ = ["LibrarySchedule"]

_UNFIT = frozenset(
    {"ChainedScheduler", "LRScheduler", "LambdaLR", "MultiplicativeLR", "ReduceLROnPlateau", "SequentialLR"}
)
_ROUNDING = 1e-6


class LibrarySchedule(LearningRatePolicy):
    """What a schedule of ``torch.optim.lr_scheduler`` or ``monai.optimizers`` gives after so many epochs or steps.

    Such schedules remember where they are; here one is taken along its whole course once, so that a resumed training
    finds the rate it had. Under ``--budget`` its epochs are laid over the time.

    Args:
        path: The class, such as ``torch.optim.lr_scheduler.StepLR``.
        arguments: What its constructor gets beside the optimizer.
        epochs: Epochs that the schedule is laid over, the config's; not needed with ``by_step``.
        by_step: Whether it moves after every step, not after every epoch.

    Raises:
        ConfigError: There is no such schedule, it needs more than plain values, or it refuses the arguments.
    """

    def __init__(
        self, path: str, *, arguments: Mapping[str, Any] | None = None, epochs: Count = 1, by_step: bool = False
    ) -> None:
        self.path = path
        self.arguments = {name: value for name, value in (arguments or {}).items() if name != "optimizer"}
        self.epochs = epochs
        self.by_step = by_step
        self._made_of = _class_at(path)
        self._rates: dict[float, list[float]] = {}
        self._courses: dict[float, Any] = {}
        self(1.0, Progress(0.0, 0))

    def __call__(self, initial: float, progress: Progress) -> float:
        """The learning rate at ``progress``."""
        count = progress.step if self.by_step else int(progress.fraction * self.epochs + _ROUNDING)
        rates = self._rates.setdefault(initial, [])
        if not rates:
            self._courses[initial] = self._started(initial)
            rates.append(self._courses[initial].get_last_lr()[0])
        while len(rates) <= count:
            rates.append(self._next(initial, rates[-1]))
        return rates[count]

    def _started(self, initial: float) -> Any:
        optimizer = optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial, momentum=0.9)
        try:
            return self._made_of(optimizer, **self.arguments)
        except (TypeError, ValueError, KeyError) as error:
            message = f"arguments: found {self.arguments}, expected what the schedule takes ({error})"
            raise ConfigError(f"{message}; write its arguments under PyTorch's names") from error

    def _next(self, initial: float, last: float) -> float:
        course = self._courses[initial]
        course.optimizer.step()  # PyTorch asks for a step before each move
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                course.step()
        except ValueError:  # past its end
            return last
        return max(0.0, float(course.get_last_lr()[0]))


def _class_at(path: str) -> type:
    found = load_library("lr_policy", path)
    if not issubclass(found, optim.lr_scheduler.LRScheduler) or found.__name__ in _UNFIT:
        expected = "a schedule that plain values describe"
        raise ConfigError(f'path: found "{path}", expected {expected}; write "torch.optim.lr_scheduler.StepLR"')
    return found
