"""CropByPosNegRatioLabelOnly: a batch of crops of a label alone."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.registry.kinds import Count, FieldName, FieldNames, NonNegative, SizeVoxels
from vesalia.transforms.crop.crop_by_pos_neg_ratio import CropByPosNegRatio

__all__ = ["CropByPosNegRatioLabelOnly"]


class CropByPosNegRatioLabelOnly(CropByPosNegRatio):
    """Turns a label into a batch of crops, each centred on foreground with probability ``pos / (pos + neg)``.

    For data that are labels alone; an image beside it stays whole unless it is listed.

    Args:
        size: Voxels of a crop. A label that is smaller is padded with 0.
        fields: Further fields to crop at the same places.
        label_field: The label, whose voxels above 0 are foreground.
        pos: Share of crops around foreground.
        neg: Share of crops around background.
        batch_size: Crops per label.
        batches_to_gen_at_once: Without effect: finding centres is cheap here.
    """

    def __init__(
        self,
        size: SizeVoxels,
        fields: FieldNames | None = None,
        *,
        label_field: FieldName = "label",
        pos: NonNegative = 1.0,
        neg: NonNegative = 1.0,
        batch_size: Count = 1,
        batches_to_gen_at_once: Count = 1,
    ) -> None:
        super().__init__(
            size,
            label_field if fields is None else fields,
            label_field=label_field,
            pos=pos,
            neg=neg,
            batch_size=batch_size,
            batches_to_gen_at_once=batches_to_gen_at_once,
        )
