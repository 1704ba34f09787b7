"""A look at all pictures of a data set: sizes, colours, brightness; and the numbers of an archive for them."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np

from vesalia.datatools.labelled_pictures import LabelledPictures
from vesalia.datatools.picture_check import check_pictures
from vesalia.errors import DataError, Fault
from vesalia.imaging.picture import read_picture

__all__ = ["PictureSizes", "scan_pictures"]

_READ = 200
"""Pictures whose brightness is measured, evenly spread."""
_STEP, _SMALLEST, _LARGEST = 32, 64, 256
_BATCH = 20
_STEPS, _MOST_EPOCHS = 3000, 400
_VALIDATIONS = 20
_DEEP_FROM = 500
"""Training pictures from which a network of 121 layers is worth its weights."""
_RARE = 3
"""How many times rarer than the commonest a class is drawn as often as the others."""
_FLOAT32 = 4


@dataclass(frozen=True, slots=True)
class PictureSizes:
    """The numbers of an archive for a classification.

    Attributes:
        shape: Rows and columns that the network sees.
        channels: 1 for grey pictures, 3 in colour.
        mean: Mean brightness.
        deviation: Its standard deviation.
        is_png: Whether files are called PNG.
        batch: Pictures per step.
        cached: Training pictures in the cache.
        epochs: Epochs.
        epochs_per_validation: Epochs between validations.
        is_deep: Whether there are pictures enough for DenseNet121.
        is_balanced: Whether classes are drawn evenly, some being rare.
    """

    shape: tuple[int, int]
    channels: int
    mean: float
    deviation: float
    is_png: bool
    batch: int
    cached: int
    epochs: int
    epochs_per_validation: int
    is_deep: bool
    is_balanced: bool


def scan_pictures(
    data: LabelledPictures, *, memory_bytes: int, progress: Callable[[int, int], None] | None = None
) -> PictureSizes:
    """Look at every picture, and choose.

    Args:
        data: The data set.
        memory_bytes: Memory of this machine; a third of it is for the cache.
        progress: Called with (pictures done, pictures in all).

    Raises:
        DataError: Pictures that cannot be read, or that have different channels.
    """
    pictures = [*data.training, *data.validation, *data.test]
    faults: list[Fault] = []
    shapes, channels = [], []
    for done, picture in enumerate(pictures, 1):
        found = check_pictures([data.root / name for name in picture.image], channels=None, config="")
        faults += found.faults
        shapes.append(found.shape)
        channels.append(found.channels)
        if progress is not None:
            progress(done, len(pictures))
    if faults:
        raise DataError(faults=faults)
    _require_one_kind(data, channels)
    rows, columns = np.median(np.asarray(shapes[: len(data.training)]), axis=0)
    shape = _shape(float(rows), float(columns))
    mean, deviation = _brightness(data)
    count = len(data.training)
    cached = max(1, min(count, memory_bytes // 3 // (shape[0] * shape[1] * channels[0] * _FLOAT32)))
    epochs = min(_MOST_EPOCHS, max(_VALIDATIONS, ceil(_STEPS / ceil(cached / _BATCH))))
    interval = max(1, round(epochs / _VALIDATIONS))
    return PictureSizes(
        shape=shape,
        channels=channels[0],
        mean=mean,
        deviation=deviation,
        is_png=Path(data.training[0].image[0]).suffix.lower() == ".png",
        batch=min(_BATCH, count),
        cached=cached,
        epochs=ceil(epochs / interval) * interval,
        epochs_per_validation=interval,
        is_deep=count >= _DEEP_FROM,
        is_balanced=_is_uneven(data),
    )


def _require_one_kind(data: LabelledPictures, channels: list[int]) -> None:
    odd = next((place for place, count in enumerate(channels) if count != channels[0]), None)
    if odd is not None:
        pictures = [*data.training, *data.validation, *data.test]
        expected = f"{channels[0]}, as {pictures[0].image[0]} has"
        write = "pictures that are all grey, or all in colour"
        fault = Fault(str(data.root / pictures[odd].image[0]), "", f"{channels[odd]} channels", expected, write)
        raise DataError(faults=[fault])


def _shape(rows: float, columns: float) -> tuple[int, int]:
    """The median size, the longer side at most 256, in multiples of 32 from 64."""
    scale = min(1.0, _LARGEST / max(rows, columns))
    first, second = (max(_SMALLEST, round(edge * scale / _STEP) * _STEP) for edge in (rows, columns))
    return first, second


def _brightness(data: LabelledPictures) -> tuple[float, float]:
    """Mean and standard deviation over training pictures, to three digits."""
    count = len(data.training)
    chosen = [data.training[place * count // min(_READ, count)] for place in range(min(_READ, count))]
    read = [read_picture([data.root / name for name in each.image]).data for each in chosen]
    mean = float(np.mean([float(each.mean()) for each in read]))
    square = float(np.mean([float(each.square().mean()) for each in read]))
    deviation = max(square - mean * mean, 0.0) ** 0.5
    return float(f"{mean:.3g}"), float(f"{deviation:.3g}") or 1.0


def _is_uneven(data: LabelledPictures) -> bool:
    """Whether one of several classes is rare; each must be there to be drawn."""
    if len(data.label_format) != 1 or data.label_format[0] == 1:
        return False
    counts = Counter(each.label[0] for each in data.training)
    return len(counts) == data.label_format[0] and _RARE * min(counts.values()) <= max(counts.values())
