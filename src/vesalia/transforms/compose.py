"""A chain of transforms, the part of it that can be cached, and errors that say where they happened."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from vesalia.errors import DataError, ResourceError
from vesalia.imaging.volume import Sample
from vesalia.runtime.machine import shortage_in_words
from vesalia.runtime.memory import is_out_of_memory
from vesalia.runtime.stopwatch import stage
from vesalia.transforms.base import Transform

__all__ = ["Compose", "named"]

_FAILURES = (ValueError, TypeError, RuntimeError, LookupError, ArithmeticError, AttributeError, MemoryError)
"""What custom transforms and torch raise on data that they cannot work with."""


class Compose:
    """Transforms one after another.

    Attributes:
        transforms: The steps, in order.
    """

    def __init__(self, transforms: Sequence[Transform[Any]]) -> None:
        self.transforms = tuple(transforms)

    @property
    def deterministic(self) -> bool:
        """Whether no step throws dice."""
        return all(step.deterministic for step in self.transforms)

    def split_deterministic(self) -> tuple[Compose, Compose]:
        """The longest leading run of steps without dice, and the rest: what may be cached, and what may not."""
        count = next((i for i, step in enumerate(self.transforms) if not step.deterministic), len(self.transforms))
        return Compose(self.transforms[:count]), Compose(self.transforms[count:])

    def prepare(self, sample: Sample) -> Sample:
        """Let every step do its work that does not depend on dice; called once per item, before it is cached."""
        for step in self.transforms:
            sample = named(step, sample, work=step.prepare)
        return sample

    def __call__(self, sample: Sample, generator: torch.Generator) -> Sample:
        """Send ``sample`` through all steps.

        Raises:
            DataError: A step failed; the message names the step, the subject and its files.
            ResourceError: The memory is not enough for a step; the message names the same.
        """
        for step in self.transforms:
            with stage(step.called):
                sample = named(step, sample, work=lambda now, step=step: step(now, generator))  # type: ignore[misc] # bound now
        return sample


def named(step: Transform[Any], sample: Sample, *, work: Callable[[Sample], Sample]) -> Sample:
    """Do ``work`` on ``sample`` for ``step``; an error names the step, the subject and its files.

    Raises:
        DataError: The work failed.
        ResourceError: The memory is not enough.
    """
    try:
        return work(sample)
    except DataError as error:
        message = f"{_where(sample)}: {step.called}: {error.message}"
        raise DataError(message, faults=error.faults) from error
    except _FAILURES as error:
        if hasattr(error, "exit_code"):  # one of ours, which says enough
            raise
        if is_out_of_memory(error):
            loaded = sum(4 * volume.data.numel() for volume in sample.fields.values())  # as float32
            short = shortage_in_words(error, needed=loaded)
            found = f"{_where(sample)}: {step.called}: found too little memory for this subject ({short})"
            write = "close other programs, write a coarser target_resolution, or leave the subject out"
            raise ResourceError(f"{found}, expected room; {write}") from error
        message = (
            f"{_where(sample)}: {step.called}: found an error ({type(error).__name__}: {error}), "
            "expected data that this transform can work with; check its arguments and these files"
        )
        raise DataError(message) from error


def _where(sample: Sample) -> str:
    files = ", ".join(str(path) for paths in sample.files.values() for path in paths)
    name = sample.name or "sample"
    return f"{name} ({files})" if files else name
