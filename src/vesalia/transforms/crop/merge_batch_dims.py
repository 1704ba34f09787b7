"""MergeBatchDims: crops of several volumes become one batch."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from vesalia.errors import DataError
from vesalia.imaging.volume import Sample, Volume
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, Invertible, Nothing, change_fields, field_names

__all__ = ["MergeBatchDims"]


class MergeBatchDims(Deterministic, Invertible[Nothing]):
    """Folds ``[B, b, C, *spatial]`` (volumes, crops of each) to ``[B * b, C, *spatial]``; a batch transform.

    A label that is a vector comes once per crop: ``[B, b, n]`` becomes ``[B * b, n]``.

    Args:
        fields: The fields to fold.
    """

    def __init__(self, fields: FieldNames) -> None:
        self.fields = field_names(fields)

    def transform(self, sample: Sample) -> Sample:
        """Fold the fields."""
        return change_fields(sample, self.fields, change=_merge)

    def invert(self, sample: Sample, parameters: Nothing, *, like: Sample) -> Sample:
        """Volumes and crops of each again."""
        unfolded = {
            name: replace(sample[name], data=sample[name].data.unflatten(0, like[name].data.shape[:2]))
            for name in self.fields
        }
        return sample.with_fields(**unfolded)


def _merge(volume: Volume) -> Volume:
    dims = volume.data.ndim - (volume.channel != "none") - 2
    if not volume.batched or dims not in {0, 2, 3}:
        message = f"found data of shape {tuple(volume.data.shape)}, expected volumes, crops of each, channels, voxels"
        raise DataError(f"{message}; use MergeBatchDims in batch_transforms, after a crop with a batch_size")
    return replace(volume, data=volume.data.flatten(0, 1))
