"""The same field of view in another number of voxels, there and back: what all scaling transforms share."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.geometry import resize_affine
from vesalia.imaging.resample import Mode, resize
from vesalia.imaging.volume import Sample, Volume
from vesalia.transforms.spatial.reading_mode import mode_for

__all__ = [
    "per_axis",
    "resize_fields",
    "resize_fields_back",
    "resized",
    "resized_back",
    "scaled_shape",
    "shape_at_spacing",
    "target_spacing_mm",
]

_Number = TypeVar("_Number", int, float)


def per_axis(values: Sequence[_Number], dims: int, *, name: str) -> tuple[_Number, ...]:
    """``values`` for ``dims`` axes: one serves all, and what is given for further axes is left out.

    Raises:
        DataError: There are fewer, but not one.
    """
    if len(values) == 1:
        return tuple(values) * dims
    if len(values) < dims:
        message = f"{name}: found {list(values)}, expected one number or {dims}, as the image has axes"
        raise DataError(f"{message}; write {dims} numbers")
    return tuple(values)[:dims]


def scaled_shape(shape: Sequence[int], factors: Sequence[float]) -> tuple[int, ...]:
    """``shape`` times ``factors``, halves up, at least 1; rounding in float32 affines does no harm."""
    return tuple(max(1, math.floor(round(size * factor, 3) + 0.5)) for size, factor in zip(shape, factors, strict=True))


def target_spacing_mm(values: Sequence[float], *, name: str) -> tuple[float, ...]:
    """The spacing that an argument asks for.

    Raises:
        ConfigError: A number is not above 0.
    """
    if min(values) <= 0:
        raise ConfigError(f"{name}: found {list(values)}, expected numbers above 0 in mm; write [1.0, 1.0, 1.0]")
    return tuple(values)


def shape_at_spacing(volume: Volume, spacing_mm: Sequence[float], *, name: str) -> tuple[int, ...]:
    """How many voxels of ``spacing_mm`` come nearest to the field of view; ``name`` is what messages call it."""
    target = per_axis(spacing_mm, len(volume.spatial_shape), name=name)
    return scaled_shape(volume.spatial_shape, [now / mm for now, mm in zip(volume.spacing_mm, target, strict=True)])


def resized(volume: Volume, shape: Sequence[int], *, mode: Mode) -> Volume:
    """``volume`` divided into ``shape`` voxels; the affine follows."""
    affine = None if volume.affine is None else resize_affine(volume.affine, volume.spatial_shape, new_shape=shape)
    return volume.from_batch(resize(volume.as_batch(), shape, mode=mode), affine=affine)


def resized_back(volume: Volume, like: Volume, *, mode: Mode) -> Volume:
    """``volume``, which was resized, on the grid of ``like`` again."""
    return replace(resized(volume, like.spatial_shape, mode=mode), affine=like.affine)


def resize_fields(
    sample: Sample, fields: Sequence[str], *, shape_of: Callable[[Volume], Sequence[int]], is_label: bool | None
) -> Sample:
    """A copy of ``sample`` whose ``fields`` are divided into the voxels that ``shape_of`` says."""
    modes = {name: mode_for(name, sample[name], is_label=is_label) for name in fields}
    return sample.with_fields(
        **{name: resized(sample[name], shape_of(sample[name]), mode=mode) for name, mode in modes.items()}
    )


def resize_fields_back(sample: Sample, fields: Sequence[str], *, like: Sample, is_label: bool | None) -> Sample:
    """A copy of ``sample`` whose ``fields`` have the voxels of ``like`` again."""
    modes = {name: mode_for(name, sample[name], is_label=is_label) for name in fields}
    return sample.with_fields(
        **{name: resized_back(sample[name], like[name], mode=mode) for name, mode in modes.items()}
    )
