"""Slices through a volume as a radiologist hangs them: axial, coronal, sagittal, patient's right on the left side."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vesalia.imaging.orientation import to_canonical
from vesalia.imaging.resample import resample_to
from vesalia.imaging.volume import Volume

__all__ = ["View", "display_array", "label_map", "largest_extent", "views"]

Array = npt.NDArray[Any]
_PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))
_MARKS = {0: ("R", "L"), 1: ("A", "P"), 2: ("S", "I")}
"""For each RAS axis, the letters of its high and its low end: high ends are drawn left and on top."""
_THRESHOLD = 0.5
_DIMS = 3
_SUM_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True)
class View:
    """One slice, row 0 on top and column 0 on the left.

    Attributes:
        plane: ``axial``, ``coronal``, ``sagittal``, or ``plane`` for a 2D image.
        size_mm: Height and width of the slice.
        image: ``[rows, columns]`` intensities.
        label: ``[rows, columns]`` class indices, or None.
        prediction: ``[rows, columns]`` class indices, or None.
        marks: Letters for the left, right, upper and lower edge; empty where the place is not known.
    """

    plane: str
    size_mm: tuple[float, float]
    image: Array
    label: Array | None
    prediction: Array | None
    marks: tuple[str, str, str, str] | tuple[()]


def display_array(volume: Volume) -> Array:
    """The first channel of a volume as ``[D, H, W]``; 2D images get an axis of length 1 at the end."""
    data: Array = volume.as_batch()[0, 0].float().cpu().numpy()
    return data if data.ndim == _DIMS else data[..., None]


def label_map(volume: Volume) -> Volume:
    """Class indices ``[D, H, W]`` of a label map, of one-hot labels, or of probabilities.

    Several channels that sum to one are classes, background first; others stand for themselves (sigmoid) and count
    from 1 where they pass 0.5. A single channel of fractions is cut at 0.5.
    """
    data = volume.as_batch()[0]
    if len(data) == 1:
        whole = not data.is_floating_point() or torch.equal(data, data.round())
        classes = data[0] if whole else data[0] > _THRESHOLD
    elif _sums_to_one(data):
        classes = data.argmax(dim=0)
    else:
        likeliest, index = data.max(dim=0)
        classes = torch.where(likeliest > _THRESHOLD, index + 1, 0)
    return replace(volume, data=classes.to(torch.int16).cpu(), channel="none", batched=False)


def _sums_to_one(data: torch.Tensor) -> bool:
    total = data.sum(dim=0, dtype=torch.float32)
    return bool(((total - 1).abs() < _SUM_TOLERANCE).all())


def _classes_on(volume: Volume | None, image: Volume) -> Array | None:
    """Class indices on the image's grid; None where the volume's place in it is not known."""
    if volume is None:
        return None
    classes = label_map(volume)
    if not classes.grid.matches(image.grid):
        if classes.affine is None or image.affine is None:
            return None
        classes = resample_to(classes, image.grid, mode="nearest")
    array: Array = to_canonical(classes).data.numpy() if _is_solid(image) else classes.data[..., None].numpy()
    return array


def _is_solid(volume: Volume) -> bool:
    return len(volume.spatial_shape) == _DIMS


def largest_extent(classes: Array) -> tuple[int, int, int]:
    """For each axis the slice with most foreground; the middle one where there is none."""
    foreground = classes > 0
    if not foreground.any():
        i, j, k = (size // 2 for size in classes.shape)
        return i, j, k
    counts = [foreground.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(_DIMS)]
    # The middle one of several equal maxima: symmetric organs are cut through their centre.
    i, j, k = (int(np.flatnonzero(count == count.max())[(count == count.max()).sum() // 2]) for count in counts)
    return i, j, k


def views(image: Volume, *, label: Volume | None = None, prediction: Volume | None = None) -> tuple[View, ...]:
    """Slices through the label's largest extent (the prediction's where there is no label).

    Label and prediction are brought to the image's grid. 2D images give one view, without marks.
    """
    masks = [_classes_on(volume, image) for volume in (label, prediction)]
    if not _is_solid(image):
        return (_flat_view(display_array(image), masks, image.spacing_mm),)
    shown = to_canonical(image)
    grey = display_array(shown)
    at = largest_extent(next((mask for mask in masks if mask is not None and mask.any()), np.zeros(grey.shape)))
    spacing = shown.spacing_mm
    return tuple(_view(plane, axis, at[axis], spacing=spacing, grey=grey, masks=masks) for plane, axis in _PLANES)


def _flat_view(grey: Array, masks: list[Array | None], spacing_mm: tuple[float, ...]) -> View:
    size_mm = (grey.shape[0] * spacing_mm[0], grey.shape[1] * spacing_mm[1])
    label, prediction = (None if mask is None else mask[..., 0] for mask in masks)
    return View("plane", size_mm, grey[..., 0], label, prediction, ())


def _view(
    plane: str, axis: int, index: int, *, spacing: tuple[float, ...], grey: Array, masks: list[Array | None]
) -> View:
    across, up = (a for a in range(_DIMS) if a != axis)
    size_mm = (grey.shape[up] * spacing[up], grey.shape[across] * spacing[across])
    label, prediction = (None if mask is None else _hung(mask, axis, index) for mask in masks)
    marks = (*_MARKS[across], *_MARKS[up])
    return View(plane, size_mm, _hung(grey, axis, index), label, prediction, marks)


def _hung(array: Array, axis: int, index: int) -> Array:
    """A slice as ``[rows, columns]`` with the axes' high ends left and on top."""
    cut: Array = np.take(array, index, axis=axis)[::-1, ::-1].T
    return cut
