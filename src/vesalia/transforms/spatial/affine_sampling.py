"""Reading volumes through affine maps, a map per batch member: the one resampling that all affine transforms share.

A map is ``[dims, dims + 1]``, a matrix and an offset: voxel ``k`` of the result is read at ``matrix @ k + offset`` of
the source. Maps of neighbours can be multiplied before anything is read, which is why parameters give maps.
"""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch

from vesalia.imaging.geometry import Affine
from vesalia.imaging.resample import Mode, sample_each
from vesalia.imaging.volume import Sample, Volume

__all__ = [
    "AffineMaps",
    "about_centre",
    "inverted",
    "joined",
    "mapped_affine",
    "move",
    "move_back",
    "on_device",
    "places_of",
    "read",
    "read_affine",
    "read_back",
    "slabs_of",
]

_SLAB_VOXELS = 1 << 21
"""Reading works through this many voxels of the result at a time, so that memory stays flat."""

_SAME = 1e-6
"""Numbers of a map closer than this are the same: angles are drawn in float32, where half a turn has a sine."""


class AffineMaps(Protocol):
    """Parameters that are affine: what was drawn, as maps."""

    def matrices(self, shape: Sequence[int], *, spacing_mm: Sequence[float]) -> torch.Tensor:
        """``[B, dims, dims + 1]`` in float64, from voxels of the result to voxels of a source of ``shape``."""


def move(sample: Sample, parameters: AffineMaps, *, modes: Mapping[str, Mode]) -> Sample:
    """A copy of ``sample`` whose fields in ``modes`` were read through the maps of ``parameters``, each in its mode."""
    moved = {}
    for name, mode in modes.items():
        volume = sample[name]
        maps = parameters.matrices(volume.spatial_shape, spacing_mm=volume.spacing_mm)
        moved[name] = read(volume, maps, mode=mode)
    return sample.with_fields(**moved)


def move_back(sample: Sample, parameters: AffineMaps, *, modes: Mapping[str, Mode], like: Sample) -> Sample:
    """What :func:`move` made of ``like``, on the grids of ``like`` again; what had left the field of view is 0."""
    moved = {}
    for name, mode in modes.items():
        before = like[name]
        maps = parameters.matrices(before.spatial_shape, spacing_mm=before.spacing_mm)
        moved[name] = read_back(sample[name], maps, mode=mode, like=before)
    return sample.with_fields(**moved)


def about_centre(linear: torch.Tensor, shape: Sequence[int], *, size: Sequence[int] | None = None) -> torch.Tensor:
    """Maps ``[B, dims, dims + 1]`` of the matrices ``[B, dims, dims]`` that keep the middle in the middle.

    Args:
        linear: What happens around the middle.
        shape: Voxels of the source.
        size: Voxels of the result, if there are others.
    """
    source, result = (torch.tensor(list(each), dtype=torch.float64) for each in (shape, size or shape))
    offsets = (source - 1) / 2 - linear.double() @ ((result - 1) / 2)
    return torch.cat([linear.double(), offsets.unsqueeze(-1)], dim=-1)


def joined(outer: torch.Tensor, inner: torch.Tensor) -> torch.Tensor:
    """The maps that read through ``inner`` what was read through ``outer``: one reading instead of two."""
    linear = outer[..., :-1] @ inner[..., :-1]
    return torch.cat([linear, outer[..., :-1] @ inner[..., -1:] + outer[..., -1:]], dim=-1)


def inverted(maps: torch.Tensor) -> torch.Tensor:
    """The maps that lead back."""
    back = torch.linalg.inv(maps[..., :-1])
    return torch.cat([back, -back @ maps[..., -1:]], dim=-1)


def mapped_affine(affine: Affine, matrix: torch.Tensor) -> Affine:
    """The affine of a volume that was read through one map ``[dims, dims + 1]``."""
    dims = len(matrix)
    change = np.eye(4)
    change[:dims, :dims] = matrix[:, :-1].numpy()
    change[:dims, 3] = matrix[:, -1].numpy()
    return np.asarray(affine @ change)


def read(volume: Volume, maps: torch.Tensor, *, mode: Mode, size: Sequence[int] | None = None) -> Volume:
    """``volume`` read through a map per member; what lies outside is 0, and the affine of a single volume follows.

    Args:
        volume: One volume or a batch.
        maps: ``[B, dims, dims + 1]``.
        mode: How to read between voxels.
        size: Voxels of the result, if there are others.
    """
    data = read_affine(volume.as_batch(), maps, size=size or volume.spatial_shape, mode=mode)
    return volume.from_batch(data, affine=None if volume.affine is None else mapped_affine(volume.affine, maps[0]))


def read_back(volume: Volume, maps: torch.Tensor, *, mode: Mode, like: Volume) -> Volume:
    """``volume``, which was read from ``like`` through ``maps``, on the grid of ``like`` again."""
    data = read_affine(volume.as_batch(), inverted(maps), size=like.spatial_shape, mode=mode)
    return replace(volume, affine=like.affine).from_batch(data)


def read_affine(data: torch.Tensor, maps: torch.Tensor, *, size: Sequence[int], mode: Mode) -> torch.Tensor:
    """``[B, C, *size]``: ``[B, C, *spatial]`` data read through a map per member, 0 outside.

    Members whose map is the identity are not resampled, and maps of whole numbers (flips, quarter turns) are exact.
    ``nearest`` keeps the dtype; ``linear`` makes whole numbers float32.
    """
    if mode == "linear" and not data.is_floating_point():
        data = data.float()
    same = torch.eye(maps.shape[1], maps.shape[2], dtype=maps.dtype)
    moving = ((maps - same).abs() > _SAME).flatten(1).any(dim=1)
    if tuple(data.shape[2:]) != tuple(size) or bool(moving.all()):
        return _read_slabs(data, maps, size, mode)
    if not bool(moving.any()):
        return data
    which = moving.to(data.device)
    result = data.clone()
    result[which] = _read_slabs(data[which], maps[moving], size, mode)
    return result


def places_of(maps: torch.Tensor, size: Sequence[int], *, rows: tuple[int, int] | None = None) -> torch.Tensor:
    """``[B, dims, *size]``: where each voxel of the result is read; with ``rows``, for these of the first axis only."""
    dims = len(size)
    kind = torch.float32 if maps.device.type == "mps" else torch.float64
    maps = maps.to(kind)
    places = maps[:, :, -1].reshape(len(maps), dims, *[1] * dims)
    for axis, length in enumerate(size):
        first, last = rows if rows is not None and axis == 0 else (0, length)
        steps = torch.arange(first, last, dtype=kind, device=maps.device)
        steps = steps.view([-1 if other == axis else 1 for other in range(dims)])
        places = places + maps[:, :, axis].reshape(len(maps), dims, *[1] * dims) * steps
    return places


def on_device(numbers: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Numbers of maps on a device: in float64, or float32 where it has no more."""
    return numbers.to(torch.float32 if device.type == "mps" else torch.float64).to(device)


def slabs_of(size: Sequence[int], *, members: int) -> list[tuple[int, int]]:
    """Ranges of rows of the first axis that are worked through one after the other."""
    thickness = max(1, _SLAB_VOXELS // max(1, members * int(np.prod(size[1:]))))
    return [(first, min(first + thickness, size[0])) for first in range(0, size[0], thickness)]


def _read_slabs(data: torch.Tensor, maps: torch.Tensor, size: Sequence[int], mode: Mode) -> torch.Tensor:
    whole = bool(((maps - maps.round()).abs() <= _SAME).all())
    kind: Mode = "nearest" if whole else mode
    there = on_device(maps, data.device)
    rows = slabs_of(size, members=len(maps))
    slabs = [sample_each(data, places_of(there, size, rows=each), mode=kind) for each in rows]
    return slabs[0] if len(slabs) == 1 else torch.cat(slabs, dim=2)
