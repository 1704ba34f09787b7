"""Whether the largest subject fits into memory: told from headers, before the first one is predicted."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import numpy as np
import psutil

from vesalia.errors import DataError, ResourceError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.nifti import read_header
from vesalia.inference.streaming.memory import MemoryPlan, Streamed
from vesalia.inference.streaming.prediction import BUFFER_BYTES
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.machine import available_memory_bytes

__all__ = ["require_room", "resampled_shape"]

_FLOAT32 = 4
_GIGABYTE = 1_000_000_000


def require_room(
    plan: EvaluatePlan, items: Iterable[DataItem], *, classes: int, streamed: Streamed | None = None
) -> MemoryPlan | None:
    """Require that the memory that is free holds the largest subject.

    Counted is only what cannot be done without: the image and its labels where windows are decided as they come;
    otherwise a float32 volume per class as the network gives them, and the same on the file's grid where they go back
    to it. Images whose headers cannot be read are left to whoever reads the whole file.

    Args:
        plan: What is done to each subject.
        items: The subjects.
        classes: Channels of the network's output.
        streamed: How windows are decided as they come; None where probabilities are kept as a whole.

    Returns:
        What the largest subject takes; None where no header tells.

    Raises:
        ResourceError: The largest subject takes more.
    """
    if not any(step.name == "LoadNifti" for step in plan.pre_transforms):
        return None
    plans = [one for item in items if (one := _memory(plan, item, classes, streamed)) is not None]
    largest = max(plans, key=lambda one: one.least_bytes, default=None)
    available = available_memory_bytes()
    if largest is None or largest.least_bytes <= available:
        return largest
    shape = " x ".join(map(str, largest.shape))
    message = (
        f"{largest.subject}: found a need of at least {largest.least_bytes / _GIGABYTE:.1f} GB of memory ({shape} "
        f"voxels, {classes} classes), expected at most the {available / _GIGABYTE:.1f} GB that are free; write a "
        "coarser target_resolution, close other programs, or leave the subject out"
    )
    raise ResourceError(message)


def resampled_shape(steps: Sequence[ComponentPlan], grid: Grid) -> tuple[int, ...]:
    """The shape of an image on ``grid`` once ``steps`` have resampled it, as far as their arguments tell."""
    shape, spacing = np.asarray(grid.shape, dtype=float), np.asarray(grid.spacing_mm)
    for step in steps:
        if "image" not in _fields(step):
            continue
        target = step.argument("target_resolution") or step.argument("target_spacing")
        if target is not None and len(target) in {1, len(shape)}:
            target = np.broadcast_to(np.asarray(target, dtype=float), shape.shape)
            shape, spacing = shape * spacing / target, target
        elif step.name == "ScaleToShape" and (wanted := step.argument("target_shape")):
            shape = np.asarray(wanted, dtype=float)
    return tuple(max(1, round(size)) for size in shape.tolist())


def _memory(plan: EvaluatePlan, item: DataItem, classes: int, streamed: Streamed | None) -> MemoryPlan | None:
    try:
        headers = [read_header(path) for path in item.files["image"]]
    except DataError:
        return None
    stored = headers[0].grid.shape
    shape = resampled_shape(plan.pre_transforms, headers[0].grid)
    image = _FLOAT32 * prod(shape) * sum(max(1, header.channels) for header in headers)
    process = psutil.Process().memory_info().rss
    if streamed is None:
        result = _FLOAT32 * prod(shape) * classes
        if shape != stored and _restores_all_classes(plan.post_transforms):
            result += _FLOAT32 * prod(stored) * classes
        return MemoryPlan(item.name, shape, 0, process, image, result)
    target = stored if streamed.chain.restored_from else shape
    result = prod(target) * (1 if streamed.chain.threshold is None else classes)
    windows = streamed.windows(shape)
    sums = _FLOAT32 * classes * windows.open_voxels
    return MemoryPlan(
        item.name,
        shape,
        windows.count,
        process,
        # Once as it was read and once as it is prepared.
        image_bytes=2 * image,
        result_bytes=result,
        sums_bytes=min(sums, BUFFER_BYTES),
        file_bytes=max(0, sums - BUFFER_BYTES),
        network_bytes=streamed.pass_bytes,
    )


def _restores_all_classes(steps: Sequence[ComponentPlan]) -> bool:
    """Whether the prediction goes back to the file's grid before the classes are decided."""
    names = [step.name for step in steps]
    before = names[: names.index("ArgmaxAcrossChannels")] if "ArgmaxAcrossChannels" in names else names
    return "RestoreOriginalShape" in before


def _fields(step: ComponentPlan) -> tuple[str, ...]:
    value: Any = step.argument("fields") or step.argument("image_field") or ()
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
