"""SplitBasedOnLabel: a label map into one mask per class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName
from vesalia.transforms.base import Deterministic
from vesalia.transforms.label.masks import different_names, value_masks

__all__ = ["SplitBasedOnLabel"]


class SplitBasedOnLabel(Deterministic):
    """Makes a field per name; the i-th is 1 where the label is i and 0 elsewhere. A class that is absent is all 0.

    Args:
        field: The label map.
        label_names: Names of the new fields, for the values 0, 1, 2 and so on.
    """

    def __init__(self, field: FieldName, *, label_names: Sequence[str]) -> None:
        self.field = field
        self.label_names = different_names(label_names, argument="label_names")

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that is split."""
        return (self.field,)

    def transform(self, sample: Sample) -> Sample:
        """Make the masks."""
        volume = sample[self.field]
        masks = value_masks(volume, [(value,) for value in range(len(self.label_names))], field=self.field)
        made = {name: volume.from_batch(mask) for name, mask in zip(self.label_names, masks, strict=True)}
        return sample.with_fields(**made)
