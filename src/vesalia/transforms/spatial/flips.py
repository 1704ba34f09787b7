"""Reversing axes, each batch member its own."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from vesalia.imaging.geometry import flip_affine
from vesalia.imaging.volume import Volume
from vesalia.transforms.spatial.affine_sampling import about_centre

__all__ = ["Flips", "flip", "flip_back"]


@dataclass(frozen=True, slots=True)
class Flips:
    """Which axes to reverse.

    Attributes:
        axes: ``[B, dims]`` booleans.
    """

    axes: torch.Tensor

    def matrices(self, shape: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """``[B, dims, dims + 1]``, see :class:`vesalia.transforms.spatial.affine_sampling.AffineMaps`."""
        return about_centre(torch.diag_embed(1.0 - 2.0 * self.axes.double()), shape)


def flip(volume: Volume, flips: Flips) -> Volume:
    """``volume`` with the axes of each member reversed; the affine of a single volume follows."""
    if not bool(flips.axes.any()):
        return volume
    batch = volume.as_batch()
    for axis, reverse in enumerate(flips.axes.unbind(1)):
        if bool(reverse.all()):
            batch = batch.flip(axis + 2)
        elif bool(reverse.any()):
            members = reverse.view(-1, *[1] * (batch.ndim - 1)).to(batch.device)
            batch = torch.where(members, batch.flip(axis + 2), batch)
    if volume.affine is None:
        return volume.from_batch(batch)
    axes = flips.axes[0].nonzero().flatten().tolist()
    return volume.from_batch(batch, affine=flip_affine(volume.affine, axes, shape=volume.spatial_shape))


def flip_back(volume: Volume, flips: Flips, *, like: Volume) -> Volume:
    """``volume``, which was flipped, as it was: to the bit, with the affine of ``like``."""
    return replace(flip(volume, flips), affine=like.affine)
