"""CropByPosNegRatio: a batch of crops around foreground and background."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import Count, FieldName, FieldNames, NonNegative, SizeVoxels
from vesalia.transforms.base import Invertible, Transform, change_fields, field_names
from vesalia.transforms.crop.centres import PosNegCentres
from vesalia.transforms.crop.window import Windows, check_size, cut_batch, put_fields_back, single_shape
from vesalia.transforms.fusion.work import Fusible, Work

__all__ = ["CropByPosNegRatio"]


class CropByPosNegRatio(Transform[Windows], Invertible[Windows], Fusible[Windows]):
    """Turns a volume into a batch of crops, each centred on foreground with probability ``pos / (pos + neg)``.

    Args:
        size: Voxels of a crop. A volume that is smaller is padded with 0.
        fields: The fields to crop. The label is cropped as well, listed here or not.
        label_field: The field whose voxels above 0 are foreground.
        pos: Share of crops around foreground.
        neg: Share of crops around background.
        batch_size: Crops per volume.
        batches_to_gen_at_once: Without effect: finding centres is cheap here.
    """

    def __init__(
        self,
        size: SizeVoxels,
        fields: FieldNames,
        *,
        label_field: FieldName = "label",
        pos: NonNegative = 1.0,
        neg: NonNegative = 1.0,
        batch_size: Count = 1,
        batches_to_gen_at_once: Count = 1,
    ) -> None:
        self.size = check_size(size)
        self.fields = tuple(dict.fromkeys((*field_names(fields), label_field)))
        self.label_field = label_field
        self.batch_size = batch_size
        self.batches_to_gen_at_once = batches_to_gen_at_once
        self.centres = PosNegCentres(label_field, pos=pos, neg=neg)

    def prepare(self, sample: Sample) -> Sample:
        """List the foreground voxels once."""
        return self.centres.prepare(sample)

    def draw(self, sample: Sample, generator: torch.Generator) -> Windows:
        """Choose where the crops lie."""
        single_shape(sample, self.fields, size=self.size)
        return self.centres.draw(sample, generator, count=self.batch_size, size=self.size)

    def apply(self, sample: Sample, parameters: Windows) -> Sample:
        """Cut the same windows out of all fields."""
        return change_fields(
            sample, self.fields, change=lambda volume: cut_batch(volume, parameters.starts, size=self.size)
        )

    @property
    def looks_at(self) -> tuple[str, ...]:
        """The label says where the foreground is."""
        return (self.label_field,)

    def fuse(self, work: Work, parameters: Windows) -> None:
        """Cut the same windows out of all fields."""
        work.cut(self.fields, parameters.starts, size=self.size, batched=True)

    def invert(self, sample: Sample, parameters: Windows, *, like: Sample) -> Sample:
        """One volume of the crops, 0 where there was none; where they overlap, the mean, or of labels the last."""
        return put_fields_back(sample, parameters.starts, fields=self.fields, like=like)
