"""The steps from probabilities to labels and masks, without torch: the same names and arguments as the components."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from vesalia.deploy.runner.places import field_names
from vesalia.deploy.runner.volume import Sample, Volume, change_fields
from vesalia.errors import DataError
from vesalia.imaging.geometry import Affine

__all__ = ["ArgmaxAcrossChannels", "CopyProperties", "KeepLargestCC", "SplitBasedOnLabel", "ThresholdValues"]


@dataclass(frozen=True, slots=True)
class ArgmaxAcrossChannels:
    """The number of the largest channel; the first one wins a tie."""

    fields: str | Sequence[str]

    def __call__(self, sample: Sample) -> Sample:
        """Turn the fields into label maps."""
        return change_fields(sample, field_names(self.fields), change=_argmax)


def _argmax(volume: Volume) -> Volume:
    data = volume.channels
    if volume.channel == "none" or len(data) < 2:
        message = f"found {len(data)} channel, expected a channel per class (2 or more)"
        raise DataError(f"{message}; leave out ArgmaxAcrossChannels, or train with num_classes of 2 or more")
    label = data.argmax(axis=0).astype(np.uint8 if len(data) <= 256 else np.int16)
    return volume.like_this(label[None])


@dataclass(frozen=True, slots=True)
class ThresholdValues:
    """1 where a value is above the threshold, 0 elsewhere."""

    fields: str | Sequence[str]
    threshold: float = 0.5

    def __call__(self, sample: Sample) -> Sample:
        """Decide the fields."""
        names = field_names(self.fields)
        return change_fields(
            sample, names, change=lambda volume: replace(volume, data=_above(volume.data, self.threshold))
        )


def _above(data: npt.NDArray[Any], threshold: float) -> npt.NDArray[np.uint8]:
    kind: Any = data.dtype if data.dtype.kind == "f" else np.dtype(np.float32)
    above: npt.NDArray[np.bool_] = data > kind.type(threshold)
    return above.astype(np.uint8)


@dataclass(frozen=True, slots=True)
class SplitBasedOnLabel:
    """A field per name; the i-th is 1 where the label is i and 0 elsewhere."""

    field: str
    label_names: Sequence[str]

    def __call__(self, sample: Sample) -> Sample:
        """Make the masks."""
        volume = sample[self.field]
        if len(volume.channels) != 1:
            message = f"found {self.field!r} with {len(volume.channels)} channels, expected a label map with one"
            raise DataError(f"{message}; put ArgmaxAcrossChannels before")
        masks = {name: volume.data == value for value, name in enumerate(self.label_names)}
        return sample.with_fields(**{n: replace(volume, data=mask.astype(np.uint8)) for n, mask in masks.items()})


@dataclass(frozen=True, slots=True)
class KeepLargestCC:
    """Of each label value only the largest connected piece, channel by channel."""

    fields: str | Sequence[str]
    applied_labels: Sequence[int] | None = None

    def __call__(self, sample: Sample) -> Sample:
        """Clean the fields."""
        return change_fields(sample, field_names(self.fields), change=self._clean)

    def _clean(self, volume: Volume) -> Volume:
        kept = np.array(volume.channels, order="C")
        for channel in kept:
            labels = self.applied_labels
            for value in np.unique(channel[channel > 0]) if labels is None else labels:
                _keep_largest(channel, value)
        return volume.like_this(kept)


def _keep_largest(channel: npt.NDArray[Any], value: float) -> None:
    """Zero, in place, what is ``value`` and outside its largest component; works in the value's bounding box."""
    mask = channel == value
    box = ndimage.find_objects(mask.astype(np.uint8))
    if not box:
        return
    inside = box[0]
    pieces, count = ndimage.label(mask[inside], structure=np.ones((3,) * channel.ndim))
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        channel[inside][mask[inside] & (pieces != sizes.argmax())] = 0


@dataclass(frozen=True, slots=True)
class CopyProperties:
    """The affine, or the record of the file, taken over from one field to others."""

    fields: str | Sequence[str]
    from_field: str
    properties: str | Sequence[str] = ("affine",)

    def __call__(self, sample: Sample) -> Sample:
        """Copy the properties."""
        return sample.with_fields(**{name: self._copy(sample, name) for name in field_names(self.fields)})

    def _copy(self, sample: Sample, name: str) -> Volume:
        volume, origin = sample[name], sample[self.from_field]
        wanted = set(field_names(self.properties))
        if wanted & {"affine", "spacing"}:
            volume = replace(volume, affine=self._affine(volume, origin, name))
        if wanted - {"affine", "spacing"}:
            volume = replace(volume, source=origin.source)
        return volume

    def _affine(self, volume: Volume, origin: Volume, name: str) -> Affine | None:
        file = None if origin.source is None else origin.source.grid
        if file is not None and volume.affine is not None and volume.grid.matches(file):
            return file.affine
        if volume.spatial_shape == origin.spatial_shape:
            return origin.affine
        if file is not None and volume.spatial_shape == file.shape:
            return file.affine
        message = f"found {name!r} of shape {volume.spatial_shape}, expected {origin.spatial_shape}"
        raise DataError(f"{message} as {self.from_field!r} has; copy the affine between fields on the same grid")
