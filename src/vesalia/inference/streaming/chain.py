"""Which post-transforms a prediction can go through window by window, and what is left to do with the result."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vesalia.imaging.axis_steps import AxisStep, axis_steps
from vesalia.imaging.geometry import Grid, index_map
from vesalia.imaging.volume import Sample
from vesalia.transforms.base import Transform
from vesalia.transforms.post.argmax_across_channels import ArgmaxAcrossChannels
from vesalia.transforms.post.copy_properties import CopyProperties
from vesalia.transforms.post.threshold_values import ThresholdValues
from vesalia.transforms.spatial.restore_original_shape import RestoreOriginalShape

__all__ = ["StreamedChain", "Target", "streamed_chain"]

_FIELD = "model"


@dataclass(frozen=True, slots=True)
class Target:
    """The grid that the decision is made on.

    Attributes:
        grid: The grid.
        steps: How its axes read those of the image; None where it is the image's own.
    """

    grid: Grid
    steps: tuple[AxisStep, ...] | None = None


@dataclass(frozen=True, slots=True)
class StreamedChain:
    """The beginning of the post-transforms, done while windows come.

    Attributes:
        threshold: What a value must exceed, or None where the largest channel is taken.
        restored_from: The field whose file has the grid that the prediction is brought to first; None for no other.
        rest: The other post-transforms, for labels.
    """

    threshold: float | None
    restored_from: str | None
    rest: tuple[Transform[Any], ...]

    def target(self, sample: Sample) -> Target | None:
        """The grid for a subject; None where it cannot be reached window by window."""
        image = sample["image"]
        if self.restored_from is None:
            return Target(image.grid)
        origin = sample[self.restored_from].source if self.restored_from in sample.fields else None
        if origin is None or image.affine is None:
            return None
        if image.grid.matches(origin.grid):
            return Target(origin.grid)
        if len(origin.grid.shape) != len(image.spatial_shape):
            return None
        steps = axis_steps(*index_map(image.grid, origin.grid), source=image.grid.shape, target=origin.grid.shape)
        return None if steps is None else Target(origin.grid, tuple(steps))


def streamed_chain(transforms: Sequence[Transform[Any]]) -> StreamedChain | None:
    """What of ``transforms`` can be done window by window; None where probabilities are needed as a whole.

    That is a decision (ArgmaxAcrossChannels, ThresholdValues) of the field ``model``, behind RestoreOriginalShape or
    not; CopyProperties before it comes after it instead, which is the same.
    """
    later: list[Transform[Any]] = []
    restored: str | None = None
    for place, step in enumerate(transforms):
        if isinstance(step, CopyProperties) and step.fields == (_FIELD,):
            later.append(step)
        elif isinstance(step, RestoreOriginalShape) and _restores(step) and restored is None and not later:
            restored = step.src_field
        elif isinstance(step, ArgmaxAcrossChannels | ThresholdValues) and _decides(step):
            threshold = step.threshold if isinstance(step, ThresholdValues) else None
            return StreamedChain(threshold, restored, (*later, *transforms[place + 1 :]))
        else:
            return None
    return None


def _restores(step: RestoreOriginalShape) -> bool:
    return type(step) is RestoreOriginalShape and step.field == _FIELD and not step.is_label


def _decides(step: ArgmaxAcrossChannels | ThresholdValues) -> bool:
    return type(step) in {ArgmaxAcrossChannels, ThresholdValues} and step.fields == (_FIELD,)
