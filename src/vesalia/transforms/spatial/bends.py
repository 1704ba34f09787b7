"""Reading volumes through maps that are bent: an affine map per batch member, and displacements at control points.

Voxel ``k`` of the result is read at ``matrix @ k + offset`` plus what lies between the control points there. A further
map of the result moves what is asked of the control points, one of the source turns what they say: as with maps alone,
neighbours become one reading.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from vesalia.imaging.resample import Mode, sample_each
from vesalia.transforms.spatial.affine_sampling import joined, on_device, places_of, slabs_of

__all__ = ["Bends", "read_bent"]


@dataclass(frozen=True, slots=True, eq=False)
class Bends:
    """Displacements that are added to the places an affine map reads; linear between control points, level beyond.

    Attributes:
        points: ``[B, dims, *points]`` displacements in voxels of the source, at two control points or more per axis.
        maps: ``[B, dims, dims + 1]`` in float64, from voxels of the result to control points.
    """

    points: torch.Tensor
    maps: torch.Tensor

    @staticmethod
    def over(size: Sequence[int], points: torch.Tensor) -> Bends:
        """Control points that are spread over the result, from its first to its last voxel along each axis."""
        steps = zip(points.shape[2:], size, strict=True)
        scale = torch.tensor([(count - 1) / max(length - 1, 1) for count, length in steps], dtype=torch.float64)
        maps = torch.cat([torch.diag(scale), torch.zeros(len(scale), 1, dtype=torch.float64)], dim=1)
        return Bends(points, maps.expand(len(points), -1, -1))

    def seen_through(self, maps: torch.Tensor) -> Bends:
        """The same where the result is read through ``maps``, several maps of one result included."""
        return Bends(self.points.expand(len(maps), *self.points.shape[1:]), joined(self.maps, maps))

    def led_on(self, maps: torch.Tensor) -> Bends:
        """The same where the source was read through ``maps``: displacements in voxels of what was read then."""
        points = self.points.to(maps.dtype)
        return Bends((maps[..., :-1] @ points.flatten(2)).unflatten(2, points.shape[2:]), self.maps)

    def members(self, which: slice) -> Bends:
        """Those of some batch members."""
        return Bends(self.points[which], self.maps[which])

    def to(self, device: torch.device) -> Bends:
        """The same on a device."""
        return Bends(on_device(self.points, device), on_device(self.maps, device))

    def at(self, places: torch.Tensor) -> torch.Tensor:
        """``[B, dims, *out]`` displacements at places ``[B, dims, *out]``, voxels of the result."""
        maps = self.maps.to(places)
        offsets = maps[..., -1].view(*maps.shape[:2], *[1] * (places.ndim - 2))
        return self._between(torch.einsum("bij,bj...->bi...", maps[..., :-1], places) + offsets)

    def over_rows(self, size: Sequence[int], rows: tuple[int, int]) -> torch.Tensor:
        """``[B, dims, *out]`` displacements at voxels of the result, in these rows of the first axis."""
        linear = self.maps[..., :-1]
        if bool((linear == torch.diag_embed(linear.diagonal(dim1=1, dim2=2))).all()):
            return self._along_axes(size, rows)
        return self._between(places_of(self.maps, size, rows=rows))

    def _along_axes(self, size: Sequence[int], rows: tuple[int, int]) -> torch.Tensor:
        """The same where the axes of the result are those of the control points: one axis after the other."""
        moved = self.points.to(self.maps.dtype)
        for axis, count in enumerate(self.points.shape[2:]):
            first, last = rows if axis == 0 else (0, size[axis])
            voxels = torch.arange(first, last, dtype=moved.dtype, device=moved.device)
            at = (self.maps[:, axis, axis, None] * voxels + self.maps[:, axis, -1, None]).clamp(0, count - 1)
            steps = torch.arange(count, dtype=moved.dtype, device=moved.device)
            weights = (1 - (at[..., None] - steps).abs()).clamp(min=0)
            moved = torch.einsum("bnp,b...p->b...n", weights, moved.movedim(axis + 2, -1)).movedim(-1, axis + 2)
        return moved

    def _between(self, at: torch.Tensor) -> torch.Tensor:
        last = torch.tensor([count - 1 for count in self.points.shape[2:]], dtype=at.dtype, device=at.device)
        where = (at.movedim(1, -1) * 2 / last - 1).flip(-1)
        points = self.points.to(at.dtype)
        return F.grid_sample(points, where, mode="bilinear", padding_mode="border", align_corners=True)


def read_bent(
    data: torch.Tensor, maps: torch.Tensor, *, bends: Bends | None, size: Sequence[int], mode: Mode
) -> torch.Tensor:
    """``[B, C, *size]``: ``data`` read through a map per member, bent if wanted, 0 outside.

    Args:
        data: ``[B, C, *spatial]`` voxels; one volume may serve all members.
        maps: ``[B, dims, dims + 1]``, from voxels of the result to voxels of ``data``.
        bends: What is added to the places.
        size: Voxels of the result.
        mode: How to read between voxels; ``linear`` makes whole numbers float32.
    """
    data = data.float() if mode == "linear" and not data.is_floating_point() else data
    maps, bends = on_device(maps, data.device), None if bends is None else bends.to(data.device)
    slabs = []
    for rows in slabs_of(size, members=len(maps)):
        places = places_of(maps, size, rows=rows)
        slabs.append(sample_each(data, places if bends is None else places + bends.over_rows(size, rows), mode=mode))
    return torch.cat(slabs, dim=2)
