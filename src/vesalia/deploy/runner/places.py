"""The steps that change where voxels lie, without torch: the same names and arguments as the components."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vesalia.deploy.runner.resample import Mode, resample_to, resize
from vesalia.deploy.runner.volume import Sample, Volume, change_fields
from vesalia.errors import DataError
from vesalia.imaging.geometry import crop_affine, resize_affine, spacing_mm
from vesalia.imaging.source import ChannelAxis

__all__ = [
    "ConvertToChannelsFirst",
    "ConvertToChannelsLast",
    "CropSubVolumeCenter",
    "RepeatChannel",
    "RestoreOriginalShape",
    "ScaleByFactor",
    "ScaleByResolution",
    "ScaleBySpacing",
    "ScaleToShape",
    "SymmetricPadderDiv",
    "field_names",
]

_LABEL_NAMES = ("label", "mask", "seg")


def field_names(fields: str | Sequence[str]) -> tuple[str, ...]:
    """``fields`` as configs write it: one name, a comma string, or a list of names."""
    return tuple(name.strip() for name in (fields.split(",") if isinstance(fields, str) else fields))


def _with_channel(volume: Volume, channel: ChannelAxis) -> Volume:
    moved = replace(volume, channel=channel)
    return volume if volume.channel == channel else moved.like_this(volume.channels)


@dataclass(frozen=True, slots=True)
class ConvertToChannelsFirst:
    """The channel axis in front, made where there is none."""

    fields: str | Sequence[str]

    def __call__(self, sample: Sample) -> Sample:
        """Convert the fields."""
        return change_fields(sample, field_names(self.fields), change=lambda volume: _with_channel(volume, "first"))


@dataclass(frozen=True, slots=True)
class ConvertToChannelsLast:
    """The channel axis at the end, made where there is none."""

    fields: str | Sequence[str]

    def __call__(self, sample: Sample) -> Sample:
        """Convert the fields."""
        return change_fields(sample, field_names(self.fields), change=lambda volume: _with_channel(volume, "last"))


@dataclass(frozen=True, slots=True)
class RepeatChannel:
    """The channels several times over: ``a b`` becomes ``a b a b``."""

    fields: str | Sequence[str]
    repeat_times: int

    def __call__(self, sample: Sample) -> Sample:
        """Repeat the channels."""
        return change_fields(sample, field_names(self.fields), change=self._repeat)

    def _repeat(self, volume: Volume) -> Volume:
        channeled = _with_channel(volume, "first") if volume.channel == "none" else volume
        return channeled.like_this(np.concatenate([channeled.channels] * self.repeat_times))


# ------------------------------------------------------------------------------------------------------------- scaling


def _per_axis(values: Sequence[float], dims: int, *, name: str) -> tuple[float, ...]:
    if len(values) == 1:
        return tuple(values) * dims
    if len(values) < dims:
        message = f"{name}: found {list(values)}, expected one number or {dims}, as the image has axes"
        raise DataError(f"{message}; write {dims} numbers")
    return tuple(values)[:dims]


def _scaled_shape(shape: Sequence[int], factors: Sequence[float]) -> tuple[int, ...]:
    return tuple(max(1, math.floor(round(size * factor, 3) + 0.5)) for size, factor in zip(shape, factors, strict=True))


def _mode(name: str, volume: Volume, *, is_label: bool | None) -> Mode:
    """How to read a field: as the config says, else as its name and its type say."""
    if is_label is not None:
        return "nearest" if is_label else "linear"
    low = name.lower()
    if low.startswith(_LABEL_NAMES):
        return "nearest"
    return "linear" if low.startswith("image") or volume.data.dtype.kind == "f" else "nearest"


def _resized(
    sample: Sample,
    fields: str | Sequence[str],
    shape_of: Callable[[Volume], tuple[int, ...]],
    *,
    is_label: bool | None,
) -> Sample:
    """A copy of ``sample`` whose ``fields`` are divided into the voxels that ``shape_of`` says."""
    made = {}
    for name in field_names(fields):
        volume = sample[name]
        shape, before = shape_of(volume), volume.spatial_shape
        affine = None if volume.affine is None else resize_affine(volume.affine, before, new_shape=shape)
        data = resize(volume.channels, shape, mode=_mode(name, volume, is_label=is_label))
        made[name] = volume.like_this(data, affine=affine)
    return sample.with_fields(**made)


def _to_spacing(target: Sequence[float], *, name: str) -> Callable[[Volume], tuple[int, ...]]:
    def shape_of(volume: Volume) -> tuple[int, ...]:
        now = spacing_mm(volume.placed, dims=len(volume.spatial_shape))
        wanted = _per_axis(target, len(now), name=name)
        return _scaled_shape(volume.spatial_shape, [mm / goal for mm, goal in zip(now, wanted, strict=True)])

    return shape_of


@dataclass(frozen=True, slots=True)
class ScaleByResolution:
    """To a voxel spacing in mm."""

    fields: str | Sequence[str]
    target_resolution: Sequence[float]
    is_label: bool = False

    def __call__(self, sample: Sample) -> Sample:
        """Resample the fields."""
        shape_of = _to_spacing(self.target_resolution, name="target_resolution")
        return _resized(sample, self.fields, shape_of, is_label=self.is_label)


@dataclass(frozen=True, slots=True)
class ScaleBySpacing:
    """To a voxel spacing in mm, under its other name."""

    fields: str | Sequence[str]
    target_spacing: Sequence[float]
    is_label: bool | None = None

    def __call__(self, sample: Sample) -> Sample:
        """Resample the fields."""
        shape_of = _to_spacing(self.target_spacing, name="target_spacing")
        return _resized(sample, self.fields, shape_of, is_label=self.is_label)


@dataclass(frozen=True, slots=True)
class ScaleByFactor:
    """So many times as many voxels."""

    fields: str | Sequence[str]
    factor: float | Sequence[float]
    is_label: bool | None = None

    def __call__(self, sample: Sample) -> Sample:
        """Scale the fields."""
        return _resized(sample, self.fields, self._shape, is_label=self.is_label)

    def _shape(self, volume: Volume) -> tuple[int, ...]:
        factors = self.factor if isinstance(self.factor, Sequence) else (self.factor,)
        shape = volume.spatial_shape
        return _scaled_shape(shape, _per_axis(factors, len(shape), name="factor"))


@dataclass(frozen=True, slots=True)
class ScaleToShape:
    """To a size in voxels."""

    fields: str | Sequence[str]
    target_shape: Sequence[int]
    is_label: bool = False

    def __call__(self, sample: Sample) -> Sample:
        """Scale the fields."""
        return _resized(sample, self.fields, self._shape, is_label=self.is_label)

    def _shape(self, volume: Volume) -> tuple[int, ...]:
        dims = len(volume.spatial_shape)
        if len(self.target_shape) != dims:
            message = f"target_shape: found {list(self.target_shape)}, expected {dims} numbers, as the image has axes"
            raise DataError(f"{message}; write a target_shape of {dims} numbers")
        return tuple(self.target_shape)


@dataclass(frozen=True, slots=True)
class RestoreOriginalShape:
    """Back to the grid of the file, whatever happened on the way."""

    field: str
    src_field: str
    is_label: bool = False

    def __call__(self, sample: Sample) -> Sample:
        """Bring the field back."""
        volume, image = sample[self.field], sample[self.src_field]
        origin = image.source
        if origin is None:
            message = f"found that {self.src_field!r} was not read from a file, expected a field that was loaded"
            raise DataError(f"{message}; write src_field: 'image'")
        affine = volume.affine
        if affine is None:
            if volume.spatial_shape != image.spatial_shape or image.affine is None:
                message = f"found {self.field!r} of shape {volume.spatial_shape} that does not say where it lies"
                raise DataError(f"{message}, expected shape {image.spatial_shape} as {self.src_field!r} has")
            affine = image.affine
        volume = replace(volume, affine=affine, source=origin)
        if volume.grid.matches(origin.grid):
            return sample.with_fields(**{self.field: replace(volume, affine=origin.grid.affine)})
        restored = resample_to(volume, origin.grid, mode="nearest" if self.is_label else "linear")
        return sample.with_fields(**{self.field: restored})


# ------------------------------------------------------------------------------------------------- padding and cropping


@dataclass(frozen=True, slots=True)
class SymmetricPadderDiv:
    """Zeros on both sides until the size can be divided; the odd voxel goes to the end."""

    fields: str | Sequence[str]
    div_int: int | Sequence[int]

    def __call__(self, sample: Sample) -> Sample:
        """Pad the fields."""
        return change_fields(sample, field_names(self.fields), change=self._pad)

    def _pad(self, volume: Volume) -> Volume:
        given = (self.div_int,) if isinstance(self.div_int, int) else tuple(self.div_int)
        shape = volume.spatial_shape
        divisors = [int(divisor) for divisor in _per_axis(given, len(shape), name="div_int")]
        missing = [-size % divisor for size, divisor in zip(shape, divisors, strict=True)]
        if not any(missing):
            return volume
        before = [count // 2 for count in missing]
        sides = [(0, 0), *((first, count - first) for first, count in zip(before, missing, strict=True))]
        affine = None if volume.affine is None else crop_affine(volume.affine, [-count for count in before])
        return volume.like_this(np.pad(volume.channels, sides), affine=affine)


@dataclass(frozen=True, slots=True)
class CropSubVolumeCenter:
    """The middle; a volume that is smaller is padded with 0 on both sides."""

    fields: str | Sequence[str]
    size: Sequence[int]

    def __call__(self, sample: Sample) -> Sample:
        """Cut the fields."""
        return change_fields(sample, field_names(self.fields), change=self._cut)

    def _cut(self, volume: Volume) -> Volume:
        shape = volume.spatial_shape
        if len(shape) != len(self.size):
            found = f"found an image of shape {shape}, expected {len(self.size)} spatial axes"
            raise DataError(f"{found} as size {list(self.size)} has; write a size of {len(shape)} numbers")
        starts = [
            min(max(0, whole // 2 - length // 2), whole - length) if whole >= length else -((length - whole) // 2)
            for whole, length in zip(shape, self.size, strict=True)
        ]
        sides, box = [(0, 0)], [slice(None)]
        for first, length, whole in zip(starts, self.size, shape, strict=True):
            box.append(slice(max(0, first), min(whole, first + length)))
            sides.append((max(0, -first), max(0, first + length - whole)))
        affine = None if volume.affine is None else crop_affine(volume.affine, starts)
        return volume.like_this(np.pad(volume.channels[tuple(box)], sides), affine=affine)
