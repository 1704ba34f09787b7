"""Whether the largest subject fits into memory: told from headers, before the first one is predicted."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable
from math import prod

import psutil

from vesalia.errors import DataError
from vesalia.imaging.header import read_header
from vesalia.inference.sizes import resampled_shape, restores_all_classes
from vesalia.inference.streaming.memory import Streamed
from vesalia.inference.streaming.memory_plan import MemoryPlan, require_fit
from vesalia.mmar.plan import EvaluatePlan
from vesalia.pipelines.datalist import DataItem
from vesalia.runtime.machine import available_memory_bytes

__all__ = ["require_room"]

_FLOAT32 = 4


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
    return require_fit(plans, classes=classes, available_bytes=available_memory_bytes())


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
        if shape != stored and restores_all_classes(plan.post_transforms):
            result += _FLOAT32 * prod(stored) * classes
        return MemoryPlan(item.name, shape, 0, process, image, result)
    target = stored if streamed.chain.restored_from else shape
    return streamed.memory(item.name, shape, target=target, classes=classes, image_bytes=2 * image)
