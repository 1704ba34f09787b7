"""ConvertToMultiChannelBasedOnLabel: a label map into one channel per class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence

from vesalia.errors import ConfigError
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldNames
from vesalia.transforms.base import Deterministic, field_names
from vesalia.transforms.label.masks import different_names, masks_as_channels

__all__ = ["ConvertToMultiChannelBasedOnLabel"]


class ConvertToMultiChannelBasedOnLabel(Deterministic):
    """Makes a channel per class, 1 where the label has its value and 0 elsewhere; the field keeps its name.

    Args:
        fields: The label maps.
        labels: The value of each channel, such as ``[1, 2]``.
        class_names: In place of ``labels``: as many names as there are channels, for the values 0, 1, 2 and so on.

    Raises:
        ConfigError: Neither ``labels`` nor ``class_names`` is given, or both, or one twice.
    """

    def __init__(
        self, fields: FieldNames, *, labels: Sequence[int] | None = None, class_names: Sequence[str] | None = None
    ) -> None:
        if (labels is None) == (class_names is None):
            found = "neither" if labels is None else "both"
            message = f"labels: found {found} of labels and class_names, expected one of them"
            raise ConfigError(f"{message}; write labels: [0, 1]")
        if class_names is not None:
            labels = range(len(different_names(class_names, argument="class_names")))
        self.fields = field_names(fields)
        self.labels = tuple(labels or ())
        if not self.labels or len(set(self.labels)) != len(self.labels):
            message = f"labels: found {list(self.labels)}, expected one value per channel, no two alike"
            raise ConfigError(f"{message}; write labels: [0, 1]")

    def transform(self, sample: Sample) -> Sample:
        """Make the channels."""
        groups = [(value,) for value in self.labels]
        made = {name: masks_as_channels(sample[name], groups, field=name) for name in self.fields}
        return sample.with_fields(**made)
