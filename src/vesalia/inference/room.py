"""Whether the largest subject fits into memory: told from headers, before the first one is predicted."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from vesalia.errors import DataError, ResourceError
from vesalia.imaging.geometry import Grid
from vesalia.imaging.nifti import read_header
from vesalia.mmar.plan import ComponentPlan, EvaluatePlan
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.machine import available_memory_bytes

__all__ = ["require_room", "resampled_shape"]

_FLOAT32 = 4
_GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Need:
    """What a subject takes, from its image's header.

    Attributes:
        subject: Its name.
        shape: Voxels of the image as it goes through the network.
        size: Bytes that are held at once at the very least.
    """

    subject: str
    shape: tuple[int, ...]
    size: int


def require_room(plan: EvaluatePlan, items: Iterable[DataItem], *, classes: int) -> None:
    """Require that the memory that is free holds the largest subject.

    Counted is only what cannot be done without: the image, a float32 volume per class as the network gives them, and
    the same on the file's grid where they go back to it. Images whose headers cannot be read are left to whoever reads
    the whole file.

    Args:
        plan: What is done to each subject.
        items: The subjects.
        classes: Channels of the network's output.

    Raises:
        ResourceError: The largest subject takes more.
    """
    if not any(step.name == "LoadNifti" for step in plan.pre_transforms):
        return
    needs = [need for item in items if (need := _need(plan, item, classes)) is not None]
    largest = max(needs, key=lambda need: need.size, default=None)
    available = available_memory_bytes()
    if largest is None or largest.size <= available:
        return
    shape = " x ".join(map(str, largest.shape))
    message = (
        f"{largest.subject}: found a need of at least {largest.size / _GIGABYTE:.1f} GB of memory ({shape} voxels, "
        f"{classes} classes), expected at most the {available / _GIGABYTE:.1f} GB that are free; write a coarser "
        "target_resolution, close other programs, or leave the subject out"
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


def _need(plan: EvaluatePlan, item: DataItem, classes: int) -> _Need | None:
    try:
        headers = [read_header(path) for path in item.files["image"]]
    except DataError:
        return None
    shape = resampled_shape(plan.pre_transforms, headers[0].grid)
    volumes = sum(max(1, header.channels) for header in headers) + classes
    voxels = prod(shape) * volumes
    if shape != headers[0].grid.shape and _restores_all_classes(plan.post_transforms):
        voxels += prod(headers[0].grid.shape) * classes
    return _Need(item.name, shape, _FLOAT32 * voxels)


def _restores_all_classes(steps: Sequence[ComponentPlan]) -> bool:
    """Whether the prediction goes back to the file's grid before the classes are decided."""
    names = [step.name for step in steps]
    before = names[: names.index("ArgmaxAcrossChannels")] if "ArgmaxAcrossChannels" in names else names
    return "RestoreOriginalShape" in before


def _fields(step: ComponentPlan) -> tuple[str, ...]:
    value: Any = step.argument("fields") or step.argument("image_field") or ()
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
