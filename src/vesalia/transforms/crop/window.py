"""Cutting windows out of volumes: views where a window lies inside, zeros where it does not."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import crop_affine
from vesalia.imaging.resample import Mode
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.spatial.reading_mode import reading_modes

__all__ = [
    "Windows",
    "around",
    "check_axes",
    "check_size",
    "cut",
    "cut_batch",
    "cut_members",
    "cut_windows",
    "put_back",
    "put_fields_back",
    "single_shape",
    "take",
]


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
    check_axes(shape, size=size)
    return shape


def check_axes(shape: tuple[int, ...], *, size: Sequence[int]) -> None:
    """A volume of ``shape`` has as many axes as ``size``.

    Raises:
        DataError: It has not.
    """
    if len(shape) != len(size):
        message = f"found an image of shape {shape}, expected {len(size)} spatial axes as size {list(size)} has"
        raise DataError(f"{message}; write a size of {len(shape)} numbers")


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


def cut_windows(volume: Volume, starts: torch.Tensor, *, size: Sequence[int]) -> Volume:
    """One window of a single volume, or one of each member of a batch."""
    return cut_members(volume, starts, size=size) if volume.batched else cut(volume, starts[0].tolist(), size=size)


def put_back(volume: Volume, starts: torch.Tensor, *, like: Volume, mode: Mode) -> Volume:
    """Windows in the volume, or in the members of the batch, that they were cut from: 0 where nothing was cut.

    Where windows of one volume overlap, an image becomes their mean, and a label that of the last window.

    Args:
        volume: The windows.
        starts: ``[B, dims]`` where they begin.
        like: What they were cut from; its voxels are not asked for.
        mode: ``nearest`` for a label, ``linear`` for an image.
    """
    crops = volume.as_batch()
    whole = replace(volume, batched=like.batched, affine=like.affine)
    shared = volume.batched and not like.batched
    canvas = crops.new_zeros(1 if shared else len(crops), crops.shape[1], *like.spatial_shape)
    if not shared:
        for member, crop, start in zip(canvas, crops, starts.tolist(), strict=True):
            inside, part = _overlap(like.spatial_shape, start, crop.shape[1:])
            member[inside] = crop[part]
        return whole.from_batch(canvas)
    counts = crops.new_zeros(like.spatial_shape)
    mean = mode == "linear" and crops.is_floating_point()
    for crop, start in zip(crops, starts.tolist(), strict=True):
        inside, part = _overlap(like.spatial_shape, start, crop.shape[1:])
        canvas[0][inside] = canvas[0][inside] + crop[part] if mean else crop[part]
        counts[inside[1:]] += 1
    return whole.from_batch(canvas / counts.clamp(min=1) if mean else canvas)


def put_fields_back(sample: Sample, starts: torch.Tensor, *, fields: Sequence[str], like: Sample) -> Sample:
    """A copy of ``sample`` whose ``fields``, windows of ``like``, are put back into it."""
    modes = reading_modes(sample, fields)
    return sample.with_fields(
        **{name: put_back(sample[name], starts, like=like[name], mode=mode) for name, mode in modes.items()}
    )


def _overlap(
    shape: Sequence[int], start: Sequence[int], size: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The box of a volume that a window covers, and the box of the window that lies inside, all channels of each."""
    low = [max(0, first) for first in start]
    high = [
        max(begin, min(whole, first + length))
        for begin, first, length, whole in zip(low, start, size, shape, strict=True)
    ]
    return _box(low, high), _box(
        *([edge - first for edge, first in zip(each, start, strict=True)] for each in (low, high))
    )
