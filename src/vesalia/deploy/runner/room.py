"""What the largest subject takes of the memory, told before the first one, and how many windows go at once."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np
import psutil

from vesalia.deploy.runner.plan import InferencePlan
from vesalia.deploy.runner.prediction import BUFFER_BYTES, Prediction, decision_of
from vesalia.deploy.runner.volume import Sample, Volume
from vesalia.errors import DataError, UserError
from vesalia.imaging.geometry import resize_affine
from vesalia.imaging.header import NiftiHeader, read_header
from vesalia.imaging.label_loops import loops_bytes
from vesalia.imaging.windows import WindowPlan
from vesalia.inference.sizes import resampled_shape
from vesalia.inference.streaming.memory_plan import MemoryPlan, require_fit
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.machine import available_memory_bytes

__all__ = ["OUTPUT_BYTES", "pass_bytes", "require_room"]

OUTPUT_BYTES: Final = 300_000_000
"""What the probabilities of a pass may take; fewer windows go at once where they would take more."""
_FLOAT32: Final = 4
_PROBE: Final = 64
"""Edge of the image that a pass is measured with, at most."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of an exported plan, as :class:`vesalia.inference.sizes.Named`."""

    name: str
    args: Mapping[str, Any]

    def argument(self, name: str) -> Any:
        """What the plan says, if anything."""
        return self.args.get(name)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a subject takes, but for the passes.

    Attributes:
        name: Its name.
        windows: How it goes through the network.
        image_bytes: The image, as read and as prepared.
        result_bytes: Labels, masks, or a float32 volume per class.
        waiting_bytes: Sums that wait for further windows, and planes to interpolate between, wherever they are.
        output_bytes: Probabilities of a window.
        streamed: Whether windows are decided as they come.
    """

    name: str
    windows: WindowPlan
    image_bytes: int
    result_bytes: int
    waiting_bytes: int
    output_bytes: int
    streamed: bool

    def plan(self, *, at_once: int, inside_bytes: int, process_bytes: int) -> MemoryPlan:
        """The whole, with so many windows in a pass."""
        return MemoryPlan(
            self.name,
            self.windows.shape,
            self.windows.count if self.streamed else 0,
            process_bytes,
            self.image_bytes,
            self.result_bytes,
            waiting_bytes=min(self.waiting_bytes, BUFFER_BYTES),
            file_bytes=max(0, self.waiting_bytes - BUFFER_BYTES),
            network_bytes=at_once * inside_bytes,
            output_bytes=at_once * self.output_bytes,
            work_bytes=loops_bytes() if self.streamed else 0,
        )


def require_room(plan: InferencePlan, how: Prediction, *, items: Iterable[DataItem]) -> MemoryPlan | None:
    """Require that the free memory holds the largest subject, and have as many windows at once as it allows.

    Images whose headers cannot be read are left to whoever reads the whole file.

    Args:
        plan: What is done to each subject.
        how: The network and its windows; its ``at_once`` is lowered where the memory is short.
        items: The subjects.

    Returns:
        What the largest subject takes; None where no header tells.

    Raises:
        ResourceError: The largest subject takes more than is free, even with one window at a time.
    """
    process, available = int(psutil.Process().memory_info().rss), available_memory_bytes()
    subjects = [one for item in items if (one := _subject(plan, item)) is not None]
    if not subjects:
        return None

    def least(subject: _Subject) -> int:
        return subject.plan(at_once=1, inside_bytes=0, process_bytes=process).least_bytes

    largest = max(subjects, key=least)
    require_fit(
        [largest.plan(at_once=1, inside_bytes=0, process_bytes=process)],
        classes=len(plan.class_names),
        available_bytes=available,
    )
    held = getattr(how.network, "passes_held", 1)
    inside = round(held * pass_bytes(how, dims=len(largest.windows.shape)) * prod(largest.windows.window))
    room = available - least(largest) + largest.output_bytes
    per_window = largest.output_bytes + inside
    how.at_once = max(1, min(how.at_once, OUTPUT_BYTES // largest.output_bytes, room // per_window))
    return largest.plan(at_once=how.at_once, inside_bytes=inside, process_bytes=process)


def pass_bytes(how: Prediction, *, dims: int) -> float:
    """What a voxel takes within the engine, beside what comes out, about; 0 where that could not be told.

    Measured with a small image: engines keep the memory of a pass for the next one.
    """
    window = how.inferer.windows([_PROBE] * dims, divisor=how.size_divisor).window
    sizes: tuple[int | None, ...] = getattr(how.network, "sizes", (None,) * dims)
    small = _PROBE + -_PROBE % how.size_divisor
    shape = tuple(size or min(edge, small) for size, edge in zip(sizes, window, strict=True))
    step = how.size_divisor
    half = tuple(size or max(step, edge // 2 // step * step) for size, edge in zip(sizes, shape, strict=True))
    prepare = getattr(how.network, "prepare", None) if half != shape else None
    process = psutil.Process()
    try:
        if prepare is not None:  # what it takes once, for images of any size, is none of a pass
            prepare(np.zeros((1, how.in_channels, *half), dtype=np.float32))
        before = process.memory_info().rss
        output = how.network(np.zeros((1, how.in_channels, *shape), dtype=np.float32))
    except UserError:
        return 0.0
    grown = int(process.memory_info().rss) - int(before)
    return max(0, grown - output.nbytes) / (prod(shape) - (prod(half) if prepare is not None else 0))


def _subject(plan: InferencePlan, item: DataItem) -> _Subject | None:
    try:
        headers = [read_header(path) for path in item.files["image"]]
    except DataError:
        return None
    classes, file = len(plan.class_names), headers[0].grid.shape
    sample = _pretended(plan, headers)
    shape = sample["image"].spatial_shape
    decision = decision_of(plan.post, sample)
    windows = plan.inferer.windows(shape, divisor=plan.size_divisor)
    if decision.decides:
        voxels = prod(decision.target.shape if decision.target else shape)
        result = voxels if decision.threshold is None else classes * voxels
    else:
        result = _FLOAT32 * classes * (prod(shape) + (prod(file) if file != shape else 0))
    channels = sum(max(1, header.channels) for header in headers)
    return _Subject(
        item.name,
        windows,
        image_bytes=2 * _FLOAT32 * prod(shape) * channels,
        result_bytes=result,
        waiting_bytes=_FLOAT32 * classes * (windows.open_voxels + (windows.face_voxels if decision.steps else 0)),
        output_bytes=_FLOAT32 * classes * prod(windows.window),
        streamed=decision.decides,
    )


def _pretended(plan: InferencePlan, headers: list[NiftiHeader]) -> Sample:
    """A subject as it goes into the network, by its headers; its image takes no memory."""
    grid = headers[0].grid
    steps = [_Step(one["name"], one["args"]) for one in plan.described["pre_transforms"]]
    shape = resampled_shape(steps, grid)
    affine = resize_affine(grid.affine, grid.shape, new_shape=shape)
    data = np.broadcast_to(np.float32(0), (1, *shape))
    return Sample({"image": Volume(data, affine, "first", headers[0].source)})
