"""What sizes a config's steps make, as far as their arguments tell; without torch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from vesalia.imaging.geometry import Grid

__all__ = ["Named", "decides_by_windows", "resampled_shape", "restores_all_classes"]


class Named(Protocol):
    """A step by its name and its arguments: of a config's plan, or of an exported one."""

    @property
    def name(self) -> str:
        """Class name."""

    def argument(self, name: str) -> Any:
        """What the constructor gets; None where nothing says."""


def resampled_shape(steps: Sequence[Named], grid: Grid) -> tuple[int, ...]:
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


def decides_by_windows(inferer: Named, steps: Sequence[Named]) -> bool:
    """Whether classes are decided window by window, so that probabilities are never kept; as far as names tell."""
    names = [step.name for step in steps if step.name != "CopyProperties"]
    first = names[1:2] if names[:1] == ["RestoreOriginalShape"] else names[:1]
    return inferer.name == "TFScanWindowInferer" and first in (["ArgmaxAcrossChannels"], ["ThresholdValues"])


def restores_all_classes(steps: Sequence[Named]) -> bool:
    """Whether the prediction goes back to the file's grid before the classes are decided."""
    names = [step.name for step in steps]
    before = names[: names.index("ArgmaxAcrossChannels")] if "ArgmaxAcrossChannels" in names else names
    return "RestoreOriginalShape" in before


def _fields(step: Named) -> tuple[str, ...]:
    value: Any = step.argument("fields") or step.argument("image_field") or ()
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)
