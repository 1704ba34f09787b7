"""The numbers of a new archive, chosen from what was measured on its data."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, prod
from typing import Any

from vesalia.datatools.description import DatasetDescription
from vesalia.datatools.footprint import activation_bytes, cached_item_bytes
from vesalia.datatools.scan import DatasetFingerprint

__all__ = ["MODEL", "Sizes", "choose_sizes"]

MODEL = "Unet"
_WIDTHS = {"nf_enc": "16,32,64,64", "nf_dec": "64,64,64,32,32,16,16"}
_DIVISOR = 16
_LARGEST_CROP = 96
_CROP_PART = 0.8
_STEPS = 6000
_VALIDATIONS = 30
_SIDES = ("left", "right")
_SMALL_CROP_VOXELS = 60_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """Every number that a template needs and the data decides.

    Attributes:
        channels: Channels of the image.
        num_classes: Channels of the model's output, background included.
        spacing_mm: The grid everything is resampled to.
        crop: Voxels per crop and window.
        crops_per_item: Crops taken from one subject for one batch.
        items_per_batch: Subjects in one batch.
        cached_items: Subjects held in memory while training.
        replace_percent: Part of them swapped per epoch; 0 when all are held.
        cache_validation: Whether the validation subjects are held in memory too.
        validation_items: How many they are.
        window_hu: The densities mapped to 0 and 1; None where each image is normalised on its own.
        epochs: Epochs to train.
        epochs_per_validation: Epochs between two validations.
        widths: The network's widths.
        is_canonical: Whether axes are turned towards R, A, S on loading; ``spacing_mm`` and ``crop`` are in that order.
        is_mirrored: Whether crops are reversed at random, which would make left what is right.
    """

    channels: int
    num_classes: int
    spacing_mm: tuple[float, ...]
    crop: tuple[int, ...]
    crops_per_item: int
    items_per_batch: int
    cached_items: int
    replace_percent: float
    cache_validation: bool
    validation_items: int
    window_hu: tuple[float, float] | None
    epochs: int
    epochs_per_validation: int
    widths: Mapping[str, str]
    is_canonical: bool
    is_mirrored: bool


def choose_sizes(description: DatasetDescription, fingerprint: DatasetFingerprint, *, memory_bytes: int) -> Sizes:
    """Choose from the measured data and the memory of this machine.

    A third of the memory is for a training step, a third for cached subjects.
    """
    spacing = tuple(_rounded(value) for value in fingerprint.median_spacing_mm)
    shape = fingerprint.median_shape(spacing)
    model = {**_WIDTHS, "num_classes": description.num_classes}
    batch = 4 if prod(_wanted_crop(shape)) <= _SMALL_CROP_VOXELS else 2
    crop = _fitting_crop(_wanted_crop(shape), model, batch=batch, limit_bytes=memory_bytes // 3)
    crops_per_item = 2 if prod(shape) >= 3 * prod(crop) else 1
    train, held_out = len(description.training), len(description.validation)
    items_per_batch = min(batch // crops_per_item, train)
    item_bytes = cached_item_bytes(shape, image_channels=fingerprint.channels)
    room = memory_bytes // 3 // max(1, item_bytes)
    cached = min(train, max(items_per_batch, room))
    epochs, interval = _lengths(ceil(cached / items_per_batch))
    return Sizes(
        channels=fingerprint.channels,
        num_classes=description.num_classes,
        spacing_mm=spacing,
        crop=crop,
        crops_per_item=crops_per_item,
        items_per_batch=items_per_batch,
        cached_items=cached,
        replace_percent=0.0 if cached == train else 0.2,
        cache_validation=0 < held_out <= room - cached,
        validation_items=held_out,
        window_hu=_window(fingerprint) if description.is_ct else None,
        epochs=epochs,
        epochs_per_validation=interval,
        widths=_WIDTHS,
        is_canonical=fingerprint.is_mixed,
        is_mirrored=not any(side in name.lower() for name in description.class_names() for side in _SIDES),
    )


def _rounded(value: float) -> float:
    """Three digits are as many as a scanner's table means."""
    return float(f"{value:.3g}")


def _wanted_crop(shape: Sequence[int]) -> tuple[int, ...]:
    """The multiple of 16 nearest to four fifths of each axis, from 16 to 96: crops need room to differ."""
    parts = (_CROP_PART * size / _DIVISOR for size in shape)
    return tuple(min(_LARGEST_CROP, max(_DIVISOR, floor(part + 0.5) * _DIVISOR)) for part in parts)


def _fitting_crop(crop: tuple[int, ...], model: Mapping[str, Any], *, batch: int, limit_bytes: int) -> tuple[int, ...]:
    """The crop, its longest axis shortened until a step fits."""
    sides = list(crop)
    while activation_bytes(MODEL, model, crop=sides, batch=batch) > limit_bytes and max(sides) > 2 * _DIVISOR:
        sides[sides.index(max(sides))] -= _DIVISOR
    return tuple(sides)


def _lengths(steps_per_epoch: int) -> tuple[int, int]:
    """Epochs for about 6000 steps, and epochs between validations; the first is a multiple of the second."""
    epochs = max(_VALIDATIONS, ceil(_STEPS / steps_per_epoch))
    interval = max(1, round(epochs / _VALIDATIONS))
    return ceil(epochs / interval) * interval, interval


def _window(fingerprint: DatasetFingerprint) -> tuple[float, float]:
    """The densities between which the labelled voxels of all channels lie, in whole HU."""
    low = min(round(channel.low) for channel in fingerprint.intensity)
    high = max(round(channel.high) for channel in fingerprint.intensity)
    return float(low), float(max(high, low + 1))
