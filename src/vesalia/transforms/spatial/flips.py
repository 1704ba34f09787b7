"""Reversing axes, each batch member its own."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass

import torch

from vesalia.imaging.geometry import flip_affine
from vesalia.imaging.volume import Volume

__all__ = ["Flips", "flip"]


@dataclass(frozen=True, slots=True)
class Flips:
    """Which axes to reverse.

    Attributes:
        axes: ``[B, dims]`` booleans.
    """

    axes: torch.Tensor


def flip(volume: Volume, flips: Flips) -> Volume:
    """``volume`` with the axes of each member reversed; the affine of a single volume follows."""
    if not bool(flips.axes.any()):
        return volume
    rows = [[axis for axis, reverse in enumerate(row) if reverse] for row in flips.axes.tolist()]
    batch = volume.as_batch()
    if len(rows) == 1:
        affine = None if volume.affine is None else flip_affine(volume.affine, rows[0], shape=volume.spatial_shape)
        return volume.from_batch(batch.flip([axis + 2 for axis in rows[0]]), affine=affine)
    members = [member.flip([axis + 1 for axis in row]) for member, row in zip(batch, rows, strict=True)]
    return volume.from_batch(torch.stack(members))
