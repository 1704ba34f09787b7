"""Cutting windows out of volumes: views where a window lies inside, zeros where it does not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import crop_affine
from vesalia.imaging.volume import Sample, Volume

__all__ = ["Windows", "around", "check_size", "cut", "cut_batch", "cut_members", "single_shape", "take"]


@dataclass(frozen=True, slots=True)
class Windows:
    """Where crops begin.

    Attributes:
        starts: ``[B, dims]`` voxel indices of the first voxel; negative where the window is larger than the volume.
    """

    starts: torch.Tensor


def check_size(size: Sequence[int]) -> tuple[int, ...]:
    """A crop size as a tuple.

    Raises:
        ConfigError: It has other than 2 or 3 numbers, or one below 1.
    """
    if len(size) not in {2, 3} or min(size) < 1:
        message = f"size: found {list(size)}, expected 2 or 3 whole numbers of 1 or more (voxels)"
        raise ConfigError(f"{message}; write [96, 96, 96]")
    return tuple(size)


def single_shape(sample: Sample, fields: Sequence[str], *, size: Sequence[int]) -> tuple[int, ...]:
    """The spatial shape that all ``fields`` share, each a single volume with as many axes as ``size`` has.

    Raises:
        DataError: They are batches already, differ in shape, or have another number of axes.
    """
    shape = sample[fields[0]].spatial_shape
    for name in fields:
        volume = sample[name]
        if volume.batched:
            message = f"found {name!r} cut into a batch of crops already, expected a whole volume"
            raise DataError(f"{message}; keep one batching crop in the chain")
        if volume.spatial_shape != shape:
            message = f"found {name!r} of shape {volume.spatial_shape}, expected {shape} as {fields[0]!r} has"
            raise DataError(f"{message}; check that image and label belong together")
    if len(shape) != len(size):
        message = f"found an image of shape {shape}, expected {len(size)} spatial axes as size {list(size)} has"
        raise DataError(f"{message}; write a size of {len(shape)} numbers")
    return shape


def around(centre: Sequence[int], size: Sequence[int], *, shape: Sequence[int]) -> list[int]:
    """Where a window of ``size`` begins that has ``centre`` in its middle, or as near to it as the volume allows.

    Along an axis where the volume is smaller than the window, the volume lies in the window's middle.
    """
    return [
        min(max(0, middle - length // 2), whole - length) if whole >= length else -((length - whole) // 2)
        for middle, length, whole in zip(centre, size, shape, strict=True)
    ]


def take(data: torch.Tensor, start: Sequence[int], *, size: Sequence[int]) -> torch.Tensor:
    """The window of ``[C, *spatial]`` data: a view where it lies inside, else a copy with 0 around the data."""
    shape = data.shape[1:]
    low = [max(0, first) for first in start]
    high = [min(whole, first + length) for first, length, whole in zip(start, size, shape, strict=True)]
    inner = data[_box(low, [max(a, b) for a, b in zip(low, high, strict=True)])]
    if tuple(inner.shape[1:]) == tuple(size):
        return inner
    padded = data.new_zeros(data.shape[0], *size)
    begin = [a - first for a, first in zip(low, start, strict=True)]
    padded[_box(begin, [a + length for a, length in zip(begin, inner.shape[1:], strict=True)])] = inner
    return padded


def _box(low: Sequence[int], high: Sequence[int]) -> tuple[slice, ...]:
    """All channels of a box of voxels."""
    return (slice(None), *(slice(a, b) for a, b in zip(low, high, strict=True)))


def cut(volume: Volume, start: Sequence[int], *, size: Sequence[int]) -> Volume:
    """One window of a single volume, a volume that knows its place."""
    affine = None if volume.affine is None else crop_affine(volume.affine, start)
    window = take(volume.as_batch()[0], start, size=size).contiguous()
    return volume.from_batch(window.unsqueeze(0), affine=affine)


def cut_batch(volume: Volume, starts: torch.Tensor, *, size: Sequence[int]) -> Volume:
    """Windows of a single volume, stacked once to a batch."""
    data = volume.as_batch()[0]
    crops = torch.stack([take(data, start, size=size) for start in starts.tolist()])
    return replace(volume, batched=True, affine=None).from_batch(crops)


def cut_members(volume: Volume, starts: torch.Tensor, *, size: Sequence[int]) -> Volume:
    """One window of each member of a batch."""
    members = zip(volume.as_batch(), starts.tolist(), strict=True)
    return volume.from_batch(torch.stack([take(member, start, size=size) for member, start in members]))
