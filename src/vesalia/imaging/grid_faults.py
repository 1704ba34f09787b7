"""Whether a label lies where its image lies."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np

from vesalia.errors import Fault
from vesalia.imaging.geometry import Grid

__all__ = ["grid_fault", "shape_words", "spacing_words"]

_SAME_SPACING = 0.01
"""Relative: what rounding in headers explains."""
_SHIFT_VOXELS = 1.0


def grid_fault(file: Path, found: Grid, *, image: Grid) -> Fault | None:
    """What is wrong where ``found`` is not the image's grid; None where it is.

    Shapes must be equal, edge lengths within 1 %, directions within that of the voxels, and no corner may lie more
    than a voxel from the image's: smaller differences come from rounding in headers, and do no harm.
    """
    if found.shape != image.shape:
        said, expected = f"the shape {shape_words(found)}", f"{shape_words(image)}, as the image has it"
    elif not np.allclose(found.spacing_mm, image.spacing_mm, rtol=_SAME_SPACING):
        said, expected = f"voxels of {spacing_words(found)}", f"{spacing_words(image)}, as the image has them"
    else:
        apart = float(np.linalg.norm(found.corners_mm() - image.corners_mm(), axis=1).max())
        if apart <= _SHIFT_VOXELS * max(image.spacing_mm):
            return None
        said = f"another place or direction than the image's (corners up to {apart:.3g} mm apart)"
        expected = "the image's affine"
    return Fault(str(file), found=said, expected=expected, write="a label drawn on this very image")


def shape_words(grid: Grid) -> str:
    """``64 x 64 x 48``."""
    return " x ".join(map(str, grid.shape))


def spacing_words(grid: Grid) -> str:
    """``1 x 1 x 2.5 mm``."""
    return " x ".join(f"{length:.3g}" for length in grid.spacing_mm) + " mm"
