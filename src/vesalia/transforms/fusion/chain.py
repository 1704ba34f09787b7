"""A chain of transforms whose fusible neighbours are done in one pass, with the same dice as one by one."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import torch

from vesalia.imaging.volume import Sample
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
        work: Work | None = None
        for step in self.transforms:
            if isinstance(step, Fusible) and step.fusible:
                work = work or Work.on(sample, room)
                named(step, sample, lambda _, step=step, work=work: _fuse(step, work, generator))  # type: ignore[misc]
                continue
            if work is not None:
                sample, work = named(step, sample, lambda _, work=work: work.finish()), None  # type: ignore[misc]
            sample = named(step, sample, lambda now, step=step: step(now, generator))  # type: ignore[misc]
        return sample if work is None else named(self.transforms[-1], sample, lambda _: work.finish())


def _fuse(step: Transform[Any], work: Work, generator: torch.Generator) -> Sample:
    if isinstance(step, Fusible):
        work.look_at(step.looks_at)
        step.fuse(work, step.draw(work.stand_in(), generator))
    return work.sample
