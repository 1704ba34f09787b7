"""Judging an item once, after the deterministic part of its chain: shapes, label values, finite voxels."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from vesalia.errors import DataError, Fault
from vesalia.imaging.volume import Sample, Volume

__all__ = ["IMAGE", "LABEL", "place_of", "verify"]

IMAGE, LABEL = "image", "label"
_VALUES_SHOWN = 5


def verify(
    sample: Sample, *, num_classes: int | None = None, delivered: Callable[[], Sequence[Volume]] | None = None
) -> tuple[Fault, ...]:
    """Judge image and label; what a sample does not have is not judged, nor is a label that is a vector.

    Vectors are judged by the data list they come from (:mod:`vesalia.pipelines.label_vectors`).

    Args:
        sample: The item after the deterministic part of its chain.
        num_classes: Classes of the network, the background included; 1 for one channel of 0 and 1.
            None leaves label values unjudged.
        delivered: Gives labels as the network gets them, where further steps may give them other values; asked where
            the network has no class for the values that the label has.

    Returns:
        What is worth a warning: a label without foreground.

    Raises:
        DataError: Image and label differ in shape, the image has voxels that are not finite, or the label
            has values that the network has no class for; all faults of the item at once.
    """
    image, label = sample.fields.get(IMAGE), sample.fields.get(LABEL)
    if label is not None and not label.spatial_shape:
        label = None
    faults: list[Fault] = []
    if image is not None:
        faults += _image_faults(image, sample)
    if label is not None and image is not None and label.spatial_shape != image.spatial_shape:
        found, expected = (f"{_shape(volume.spatial_shape)}{_stored(volume)}" for volume in (label, image))
        write = "a label drawn on this image with the spacing of its header, and transforms that list both fields"
        faults.append(_fault(sample, LABEL, f"the shape {found}", f"{expected}, as the image has it", write))
    if label is not None and num_classes is not None:
        wrong = _label_faults(label, sample, num_classes)
        if wrong and delivered is not None and not faults:
            wrong = [fault for final in delivered() for fault in _label_faults(final, sample, num_classes)][:1]
        faults += wrong
    if faults:
        raise DataError(faults=faults)
    if label is None or bool(label.data.any()):
        return ()
    write = "nothing, if the subject has none; else check the file and the label's resampling"
    return (_fault(sample, LABEL, "no voxel above 0", "some foreground", write),)


def _image_faults(image: Volume, sample: Sample) -> list[Fault]:
    if not image.data.is_floating_point():
        return []
    finite = torch.isfinite(image.data)
    if bool(finite.all()):
        return []
    found = f"{int((~finite).sum())} of {finite.numel()} voxels that are NaN or infinite"
    return [_fault(sample, IMAGE, found, "finite numbers", "a mended file, or leave this subject out of the list")]


def _label_faults(label: Volume, sample: Sample, num_classes: int) -> list[Fault]:
    channels = int(label.as_batch().shape[1])
    if channels not in {1, num_classes}:
        expected = "1 channel with a class number per voxel" + (
            f", or {num_classes} of 0 and 1" if num_classes > 1 else ""
        )
        return [_fault(sample, LABEL, f"{channels} channels", expected, "a 3D label file")]
    classes = num_classes if channels == 1 and num_classes > 1 else 2
    data = label.data
    broken = ~torch.isfinite(data) | (data != data.round()) if data.is_floating_point() else None
    if broken is not None and bool(broken.any()):
        write = "a label file of whole numbers, and is_label: true where labels are resampled"
        return [_fault(sample, LABEL, _values(data[broken]), "whole numbers", write)]
    low, high = (float(value) for value in torch.aminmax(data)) if data.numel() else (0.0, 0.0)
    if low >= 0 and high < classes:
        return []
    outside = (data < 0) | (data >= classes)
    write = f"a label within the classes, or another num_classes of the model (now {num_classes})"
    return [_fault(sample, LABEL, _values(data[outside]), f"the whole numbers 0 to {classes - 1}", write)]


def _values(wrong: torch.Tensor) -> str:
    values, counts = torch.unique(wrong, return_counts=True)
    shown = [f"{value:g} ({count} voxels)" for value, count in zip(values.tolist(), counts.tolist(), strict=True)]
    more = len(shown) - _VALUES_SHOWN
    return "the values " + ", ".join(shown[:_VALUES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _stored(volume: Volume) -> str:
    """How the file had it: a spacing that differs by rounding explains a shape that differs after resampling."""
    if volume.source is None:
        return ""
    grid = volume.source.grid
    return f" (in the file {_shape(grid.shape)} of {' x '.join(f'{length:g}' for length in grid.spacing_mm)} mm)"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def place_of(sample: Sample, field: str) -> tuple[str, str]:
    """Where the fault of a field is: its files, or the item's name where there are none, and its key."""
    volume = sample.fields[field]
    paths = sample.files.get(field) or (volume.source.paths if volume.source else ())
    return ", ".join(map(str, paths)) or sample.name, f"{sample.name}.{field}"


def _fault(sample: Sample, field: str, found: str, expected: str, write: str) -> Fault:
    file, key = place_of(sample, field)
    return Fault(file, key, found=found, expected=expected, write=write)
