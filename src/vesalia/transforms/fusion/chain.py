"""A chain of transforms whose fusible neighbours are done in one pass, with the same dice as one by one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from functools import partial
from itertools import groupby
from typing import Any, cast

import torch

from vesalia.imaging.affine_loops import compile_straight, is_compiled
from vesalia.imaging.bent_loops import compile_bent
from vesalia.imaging.volume import Sample
from vesalia.runtime.stopwatch import stage
from vesalia.transforms.base import Transform
from vesalia.transforms.compose import Compose, named
from vesalia.transforms.fusion.work import FRESH, Fusible, Room, Work

__all__ = ["FusedChain"]


class FusedChain:
    """Runs a chain; runs of fusible transforms become one pass, the others are applied as they are.

    Attributes:
        transforms: The steps, in order.
    """

    def __init__(self, chain: Compose) -> None:
        self.transforms = chain.transforms
        self._runs = [(fusible, tuple(steps)) for fusible, steps in groupby(chain.transforms, key=_takes_part)]

    def compile_ahead(self) -> threading.Thread | None:
        """Begin to compile the loops in a thread, if the chain will need them and Numba is there."""
        reading = [step for step in self.transforms if isinstance(step, Fusible) and step.fusible and step.resamples]
        if not reading or not is_compiled():
            return None
        kinds = {step.is_bent for step in reading}
        thread = threading.Thread(target=_compile, args=(kinds,), name="vesalia-compile")
        thread.start()  # an exit waits for it: some seconds
        return thread

    def __call__(self, sample: Sample, generator: torch.Generator, room: Room = FRESH) -> Sample:
        """Send ``sample`` through all steps.

        Args:
            sample: What comes in; it is not changed.
            generator: The dice; every step draws as it would alone.
            room: Where results of fused steps are written.

        Raises:
            DataError: A step failed; the message names the step, the subject and its files.
            ResourceError: The memory is not enough for a step; the message names the same.
        """
        for fusible, steps in self._runs:
            if fusible:
                with stage(" + ".join(step.called for step in steps)):
                    sample = _together(steps, sample, generator=generator, room=room)
                continue
            for step in steps:
                with stage(step.called):
                    sample = named(step, sample, work=partial(step, generator=generator))
        return sample


def _compile(kinds: Collection[bool]) -> None:
    """Compile the loops that read bent (True) or straight."""
    if False in kinds:
        compile_straight()
    if True in kinds:
        compile_bent()


def _takes_part(step: Transform[Any]) -> bool:
    return isinstance(step, Fusible) and step.fusible


def _together(steps: Sequence[Transform[Any]], sample: Sample, *, generator: torch.Generator, room: Room) -> Sample:
    work = Work.on(sample, room)
    for step in steps:
        named(step, sample, work=partial(_put_off, step, work, generator))
    return named(steps[-1], sample, work=lambda _: work.finish())


def _put_off(step: Transform[Any], work: Work, generator: torch.Generator, sample: Sample) -> Sample:
    """Have ``step`` say what is to be done; ``sample`` is what messages name."""
    fusible = cast("Fusible[Any]", step)
    work.look_at(fusible.looks_at)
    fusible.fuse(work, step.draw(work.stand_in(), generator))
    return sample
