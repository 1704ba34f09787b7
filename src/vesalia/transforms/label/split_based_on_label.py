"""SplitBasedOnLabel: a label map into one mask per class."""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from vesalia.errors import ConfigError, DataError
from vesalia.imaging.volume import Sample
from vesalia.registry.kinds import FieldName
from vesalia.transforms.base import Deterministic

__all__ = ["SplitBasedOnLabel"]


class SplitBasedOnLabel(Deterministic):
    """Makes a field per name; the i-th is 1 where the label is i and 0 elsewhere. A class that is absent is all 0.

    Args:
        field: The label map.
        label_names: Names of the new fields, for the values 0, 1, 2 and so on.
    """

    def __init__(self, field: FieldName, *, label_names: Sequence[str]) -> None:
        names = tuple(label_names)
        if not names or len(set(names)) != len(names):
            message = f"label_names: found {list(names)}, expected one name per class, no two alike"
            raise ConfigError(f'{message}; write ["class0", "class1"]')
        self.field = field
        self.label_names = names

    @property
    def fields(self) -> tuple[str, ...]:
        """The field that is split."""
        return (self.field,)

    def transform(self, sample: Sample) -> Sample:
        """Make the masks."""
        volume = sample[self.field]
        channels = volume.as_batch().shape[1]
        if channels != 1:
            message = f"found {self.field!r} with {channels} channels, expected a label map with one"
            raise DataError(f"{message}; put ArgmaxAcrossChannels before")
        masks = {
            name: replace(volume, data=(volume.data == value).to(torch.uint8))
            for value, name in enumerate(self.label_names)
        }
        return sample.with_fields(**masks)
