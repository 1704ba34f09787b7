"""Volumes with their axes in another order or direction, without interpolation."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import torch

from vesalia.errors import DataError
from vesalia.imaging.axis_order import Reorientation, axis_codes, towards_canonical
from vesalia.imaging.volume import Volume

__all__ = ["Reorientation", "axis_codes", "reorient", "to_canonical", "towards_canonical"]


def reorient(volume: Volume, reorientation: Reorientation) -> Volume:
    """``volume`` with its axes reordered and reversed; every voxel keeps its place in the patient."""
    if volume.batched:
        message = "orientation: found a batch of crops, expected one volume; reorient before cropping"
        raise DataError(message)
    if reorientation.is_identity:
        return volume
    affine = None if volume.affine is None else reorientation.affine(volume.affine, volume.spatial_shape)
    return replace(volume.from_batch(_turned(volume.as_batch(), reorientation).contiguous()), affine=affine)


def to_canonical(volume: Volume) -> Volume:
    """``volume`` with axes as near to R, A, S as reordering and reversing can bring them."""
    return reorient(volume, towards_canonical(volume.placed, dims=len(volume.spatial_shape)))


def _turned(batch: torch.Tensor, reorientation: Reorientation) -> torch.Tensor:
    """``[B, C, *spatial]`` afterwards; a view where no axis is reversed."""
    moved = batch.permute(0, 1, *(axis + 2 for axis in reorientation.order))
    return moved.flip([axis + 2 for axis in reorientation.flips]) if reorientation.flips else moved
