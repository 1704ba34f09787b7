"""How far the surfaces of two masks are from each other, in millimetres."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["hausdorff_95", "surface_dice", "surface_distances"]

Mask = npt.NDArray[np.bool_]
Distances = npt.NDArray[np.float64]

_SLACK_MM = 1e-4
"""NIfTI stores spacings as float32: a distance of 3 voxels may come out as 3.0000001 mm."""


def surface_distances(predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float]) -> tuple[Distances, Distances]:
    """From each surface voxel of one mask to the nearest of the other, both ways.

    A surface voxel lies in the mask and shares a face with a voxel that does not, or with the border of the image.

    Args:
        predicted: A mask that is not empty.
        wanted: Another of the same shape.
        spacing_mm: Edge lengths of a voxel in axis order.

    Returns:
        Distances in mm from ``predicted`` to ``wanted``, and from ``wanted`` to ``predicted``.
    """
    box = ndimage.find_objects((predicted | wanted).astype(np.uint8))[0]
    surfaces = [_surface(mask[box]) for mask in (predicted, wanted)]
    to_predicted, to_wanted = (ndimage.distance_transform_edt(~each, sampling=tuple(spacing_mm)) for each in surfaces)
    return to_wanted[surfaces[0]], to_predicted[surfaces[1]]


def _surface(mask: Mask) -> Mask:
    return np.asarray(mask & ~ndimage.binary_erosion(mask))


def surface_dice(predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float], tolerance_mm: float) -> float:
    """The share of both surfaces that lies within ``tolerance_mm`` of the other one, counted in surface voxels.

    Source: Nikolov et al., 2018, arXiv:1809.04430.

    Returns:
        0 to 1; 0 where nothing was predicted; NaN where ``wanted`` is empty.
    """
    if not wanted.any():
        return np.nan
    if not predicted.any():
        return 0.0
    both = np.concatenate(surface_distances(predicted, wanted, spacing_mm=spacing_mm))
    return float((both <= tolerance_mm + _SLACK_MM).mean())


def hausdorff_95(predicted: Mask, wanted: Mask, *, spacing_mm: Sequence[float]) -> float:
    """The distance that 95 % of either surface keep to the other, the larger of the two.

    Source: Huttenlocher et al., 1993, doi:10.1109/34.232073, with the 95th percentile in place of the maximum.

    Returns:
        Millimetres; the diagonal of the image where nothing was predicted; NaN where ``wanted`` is empty.
    """
    if not wanted.any():
        return np.nan
    if not predicted.any():
        return float(np.linalg.norm(np.multiply(wanted.shape, spacing_mm)))
    there, back = surface_distances(predicted, wanted, spacing_mm=spacing_mm)
    return float(max(np.percentile(there, 95), np.percentile(back, 95)))
