"""KeepLargestCC: of each class, only the largest connected piece."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage

from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, change_fields, field_names

__all__ = ["KeepLargestCC"]


class KeepLargestCC(Deterministic):
    """Sets all but the largest connected component of each label value to 0, channel by channel.

    Voxels that share a face, an edge or a corner are connected. Of components of equal size the first one stays.

    Args:
        fields: Label maps or masks.
        applied_labels: The values to clean; all values above 0 where it is not given.
    """

    def __init__(self, fields: FieldNames, *, applied_labels: Sequence[int] | None = None) -> None:
        self.fields = field_names(fields)
        self.applied_labels = None if applied_labels is None else tuple(applied_labels)

    def transform(self, sample: Sample) -> Sample:
        """Clean the fields."""
        return change_fields(sample, self.fields, change=self._clean)

    def _clean(self, volume: Volume) -> Volume:
        batch = volume.as_batch()
        kept = np.array(batch.cpu().numpy(), order="C")
        for channel in kept.reshape(-1, *kept.shape[2:]):
            for value, box in _boxes(channel):
                if self.applied_labels is None or value in self.applied_labels:
                    _keep_largest(channel[box], value)
        return volume.from_batch(torch.from_numpy(kept).to(batch.device))


def _boxes(channel: npt.NDArray[Any]) -> Iterator[tuple[float, tuple[slice, ...]]]:
    """Each value above 0 and its bounding box; of whole numbers all of them come from one pass."""
    if np.issubdtype(channel.dtype, np.integer):
        places: Sequence[float] = range(1, int(channel.max(initial=0)) + 1)
        found = ndimage.find_objects(channel) if places else []
    else:
        places = np.unique(channel[channel > 0]).tolist()
        found = [ndimage.find_objects((channel == value).astype(np.uint8))[0] for value in places]
    yield from ((value, box) for value, box in zip(places, found, strict=True) if box is not None)


def _keep_largest(part: npt.NDArray[np.generic], value: float) -> None:
    """Zero, in place, what is ``value`` and outside its largest component."""
    mask = part == value
    pieces, count = ndimage.label(mask, structure=np.ones((3,) * part.ndim))
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        part[mask & (pieces != sizes.argmax())] = 0
