"""ConvertToMultiChannelBasedOnBratsClasses: the label of a brain tumour into three regions that overlap."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames, Whole
from vesalia.transforms.base import Deterministic, field_names
from vesalia.transforms.label.masks import brats_values, masks_as_channels

__all__ = ["ConvertToMultiChannelBasedOnBratsClasses"]


class ConvertToMultiChannelBasedOnBratsClasses(Deterministic):
    """Makes three channels of 0 and 1: tumour core (TC), whole tumour (WT), enhancing tumour (ET).

    BraTS numbers necrosis 1, oedema 2 and enhancing tumour 4; TC is 1 and 4, WT all three, ET 4 alone.

    Source: Menze et al., 2015, doi:10.1109/TMI.2014.2377694.

    Args:
        fields: The label maps; the fields keep their names.
        et_label: The number of enhancing tumour: 4, and 3 in BraTS 2023.
    """

    def __init__(self, fields: FieldNames, *, et_label: Whole = 4) -> None:
        self.fields = field_names(fields)
        self.values = brats_values(et_label)

    def transform(self, sample: Sample) -> Sample:
        """Make the channels."""
        made = {name: masks_as_channels(sample[name], self.values, field=name) for name in self.fields}
        return sample.with_fields(**made)
