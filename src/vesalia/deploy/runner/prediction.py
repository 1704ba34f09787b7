"""One subject through the network, window by window; what is finished is decided at once, slab by slab."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from vesalia.deploy.runner.inferers import Inferer
from vesalia.deploy.runner.labels import ArgmaxAcrossChannels, CopyProperties, ThresholdValues
from vesalia.deploy.runner.passes import Network, Passes
from vesalia.deploy.runner.places import RestoreOriginalShape, field_names
from vesalia.deploy.runner.steps import Step
from vesalia.deploy.runner.volume import Sample, Volume
from vesalia.errors import DataError
from vesalia.imaging.axis_steps import AxisStep, axis_steps
from vesalia.imaging.geometry import Grid, index_map
from vesalia.imaging.windows import WindowPlan, within
from vesalia.inference.streaming.arrays import NumpyArrays
from vesalia.inference.streaming.blending import Blender, slabs
from vesalia.inference.streaming.restoring import Restoring
from vesalia.inference.streaming.shelf import Shelf
from vesalia.inference.streaming.sinks import Averages, Deciding, Labels, Masks, Sink

__all__ = ["BUFFER_BYTES", "Decision", "Prediction", "decision_of", "predict"]

_FIELD: Final = "model"
BUFFER_BYTES: Final = 300_000_000
"""What waits for its next window may take so much of the memory; more of it goes to a temporary file."""


@dataclass(slots=True)
class Prediction:
    """How subjects are predicted.

    Attributes:
        network: ``[B, C, *spatial]`` to probabilities ``[B, classes, *spatial]``.
        inferer: The windows.
        in_channels: Channels that the network takes.
        size_divisor: What sizes of windows must be multiples of.
        at_once: Windows per pass; becomes 1 where the memory is not enough for more.
    """

    network: Network
    inferer: Inferer
    in_channels: int
    size_divisor: int = 1
    at_once: int = 1


def predict(sample: Sample, how: Prediction, *, post: Sequence[Step]) -> Sample:
    """``sample`` with the finished field ``model``.

    A decision (ArgmaxAcrossChannels, ThresholdValues) of that field, behind RestoreOriginalShape or not, is made while
    windows come; then probabilities never lie in memory as a whole.

    Args:
        sample: The subject, its image prepared.
        how: The network and its windows.
        post: The post-transforms.

    Raises:
        DataError: The image has other channels than the network was trained on.
        ResourceError: The memory is not enough for a single window.
    """
    image = sample["image"]
    if len(image.channels) != how.in_channels:
        found = f"found an image with {len(image.channels)} channels, expected {how.in_channels} as the network was"
        raise DataError(f"{found} trained on; give the same images as in training, in the same order")
    plan = how.inferer.windows(image.spatial_shape, divisor=how.size_divisor)
    decision = decision_of(post, sample)
    kept = _through(how, plan, image, decision)
    sample = sample.with_fields(**{_FIELD: decision.volume(image, kept)})
    for step in decision.rest:
        sample = step(sample)
    return sample


def _through(how: Prediction, plan: WindowPlan, image: Volume, decision: Decision) -> _Kept | None:
    """What became of the windows; as many are at once from then on as were at the end."""
    sink: Sink | None = None
    kept: _Kept | None = None
    blender: Blender | None = None

    def take(index: tuple[int, ...], output: npt.NDArray[np.float32]) -> None:
        nonlocal sink, kept, blender
        if sink is None or blender is None:
            shelf = Shelf(NumpyArrays(), BUFFER_BYTES)
            blender = Blender(plan, mode=how.inferer.mode, channels=len(output), shelf=shelf)
            sink, kept = decision.sinks(image, channels=len(output))
        _blend(blender, sink, index, output)

    passes = Passes(how.network, how.at_once)
    try:
        passes.each(image.channels, plan, take=take)
    finally:
        how.at_once = passes.at_once
        if blender is not None:
            blender.shelf.close()
    return kept


def _blend(blender: Blender, sink: Sink, index: tuple[int, ...], output: npt.NDArray[np.float32]) -> None:
    """Add a window's probabilities, and hand on what is finished with them."""
    plan = blender.plan
    box = plan.seen(index)
    for slab in slabs(plan, index, channels=len(output)):
        place: Any = within((slice(*slab), *box[1:]), plan.start(index))
        inside: Any = (slice(None), *place)
        values = output[inside]
        if blender.weights is not None:
            values *= blender.weights[place]
        finished = blender.add(index, slab, values=values)
        if finished is not None:
            sink.take(finished, blender.shelf)


# ------------------------------------------------------------------------------------------------------------ decisions


class _Kept(Protocol):
    @property
    def result(self) -> npt.NDArray[Any]: ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done with finished voxels, and what is left to do with the volume.

    Attributes:
        threshold: What a value must exceed; None where the largest channel is taken, or nothing is decided.
        decides: Whether a decision is made while windows come.
        target: The file's grid, where the prediction goes there before it is decided.
        steps: How that grid's axes read those of the image; None where it is the image's own.
        rest: The other post-transforms.
    """

    rest: tuple[Step, ...]
    decides: bool = False
    threshold: float | None = None
    target: Grid | None = None
    steps: tuple[AxisStep, ...] | None = None

    def sinks(self, image: Volume, *, channels: int) -> tuple[Sink, _Kept]:
        """Where finished voxels go, and what keeps what becomes of them."""
        if not self.decides:
            averages = Averages(np.empty((channels, *image.spatial_shape), dtype=np.float32))
            return averages, averages
        if self.threshold is None and channels < 2:
            message = f"found {channels} channel, expected a channel per class (2 or more)"
            raise DataError(f"{message}; leave out ArgmaxAcrossChannels, or train with num_classes of 2 or more")
        shape = image.spatial_shape if self.target is None else self.target.shape
        order = None
        if self.steps is not None:
            order = sorted(range(len(self.steps)), key=[step.source_axis for step in self.steps].__getitem__)
        deciding: Deciding = (
            Labels(shape, channels=channels, order=order)
            if self.threshold is None
            else Masks(shape, channels=channels, threshold=self.threshold, order=order)
        )
        return deciding if self.steps is None else Restoring(self.steps, deciding), deciding

    def volume(self, image: Volume, kept: Any) -> Volume:
        """The field ``model``."""
        affine = image.affine if self.target is None else self.target.affine
        return Volume(kept.result, affine, "first", image.source)


def decision_of(post: Sequence[Step], sample: Sample) -> Decision:
    """What of ``post`` can be done window by window."""
    later: list[Step] = []
    target: Grid | None = None
    steps: tuple[AxisStep, ...] | None = None
    for place, step in enumerate(post):
        if isinstance(step, CopyProperties) and field_names(step.fields) == (_FIELD,):
            later.append(step)
        elif isinstance(step, RestoreOriginalShape) and step.field == _FIELD and target is None and not later:
            found = _target(step, sample)
            if found is None:
                break
            target, steps = found
        elif isinstance(step, ArgmaxAcrossChannels | ThresholdValues) and field_names(step.fields) == (_FIELD,):
            threshold = step.threshold if isinstance(step, ThresholdValues) else None
            rest = (*later, *post[place + 1 :])
            return Decision(rest, decides=True, threshold=threshold, target=target, steps=steps)
        else:
            break
    return Decision(tuple(post))


def _target(step: RestoreOriginalShape, sample: Sample) -> tuple[Grid, tuple[AxisStep, ...] | None] | None:
    """The grid of the file and how its axes read the image's; None where they are oblique to each other."""
    image, origin = sample["image"], sample[step.src_field].source
    if step.is_label or origin is None or image.affine is None or len(origin.grid.shape) != len(image.spatial_shape):
        return None
    if image.grid.matches(origin.grid):
        return origin.grid, None
    found = axis_steps(*index_map(image.grid, origin.grid), source=image.spatial_shape, target=origin.grid.shape)
    return None if found is None else (origin.grid, tuple(found))
