"""SplitBasedOnBratsClasses: the label of a brain tumour into three masks that overlap."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName, Whole
from vesalia.transforms.base import Deterministic
from vesalia.transforms.label.masks import brats_values, different_names, value_masks

__all__ = ["SplitBasedOnBratsClasses"]

_REGIONS = ("TC", "WT", "ET")


class SplitBasedOnBratsClasses(Deterministic):
    """Makes a field of 0 and 1 each for tumour core (TC), whole tumour (WT) and enhancing tumour (ET), in this order.

    The regions are those of ConvertToMultiChannelBasedOnBratsClasses.

    Args:
        field: The label map.
        label_names: Names of the three fields.
        class_names: Another word for ``label_names``.
        et_label: The number of enhancing tumour: 4, and 3 in BraTS 2023.

    Raises:
        ConfigError: There are not three different names.
    """

    def __init__(
        self,
        field: FieldName,
        *,
        label_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        et_label: Whole = 4,
    ) -> None:
        if label_names is not None and class_names is not None:
            raise ConfigError("class_names: found label_names besides, expected one of the two; leave out class_names")
        self.field = field
        self.label_names = different_names(label_names or class_names or _REGIONS, argument="label_names")
        if len(self.label_names) != len(_REGIONS):
            message = f"label_names: found {len(self.label_names)} names, expected 3: of TC, WT and ET"
            raise ConfigError(f'{message}; write ["TC", "WT", "ET"]')
        self.values = brats_values(et_label)

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that is split."""
        return (self.field,)

    def transform(self, sample: Sample) -> Sample:
        """Make the masks."""
        volume = sample[self.field]
        masks = value_masks(volume, self.values, field=self.field)
        made = {name: volume.from_batch(mask) for name, mask in zip(self.label_names, masks, strict=True)}
        return sample.with_fields(**made)
