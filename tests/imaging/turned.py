"""Volumes turned to any orientation, with nibabel's arithmetic."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import nibabel as nib
import numpy as np

from vesalia.imaging.orientation import Reorientation, reorient
from vesalia.imaging.volume import Volume

__all__ = ["to_orientation"]


def to_orientation(volume: Volume, codes: str) -> Volume:
    """``volume`` with axes that point as ``codes`` say, such as ``"LPS"``."""
    now = nib.orientations.io_orientation(volume.placed)
    turn = nib.orientations.ornt_transform(now, nib.orientations.axcodes2ornt(codes))
    order = tuple(int(axis) for axis in np.argsort(turn[:, 0]))
    flips = tuple(new for new, axis in enumerate(order) if turn[axis, 1] < 0)
    return reorient(volume, Reorientation(order, flips))
